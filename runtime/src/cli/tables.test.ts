import { selectRows } from './ps-table.ts';
import { formatTable } from './table.ts';

describe('formatTable', () => {
  it('aligns columns as runc does', () => {
    expect(formatTable([['ID', 'PID', 'OWNER']])).toBe('ID          PID         OWNER\n');
    expect(
      formatTable([
        ['ID', 'PID', 'OWNER'],
        ['a-longer-name', '1', 'root'],
      ]),
    ).toBe('ID              PID         OWNER\na-longer-name   1           root\n');
  });
});

describe('selectRows', () => {
  const text =
    'UID          PID    PPID CMD\nroot           1       0 init 17\nroot          17       1 sh\nroot         117      17 sleep\n';

  it('keeps the head and the rows of the processes', () => {
    expect(selectRows(text, [17])).toBe('UID          PID    PPID CMD\nroot          17       1 sh\n');
    expect(selectRows(text, [])).toBe('UID          PID    PPID CMD\n');
  });

  it('needs a column PID', () => {
    expect(() => selectRows('CMD\nsh\n', [17])).toThrow("couldn't find PID field in ps output");
    expect(() => selectRows('', [])).toThrow();
  });
});
