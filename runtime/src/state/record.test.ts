import { lastRecord } from './record.ts';

const record = (pid: number) => JSON.stringify({ id: 'c', pid });

describe('the last record of a file', () => {
  it.each([
    ['one line', `\n${record(1)}\n`, 1],
    ['several', `\n${record(1)}\n\n${record(2)}\n`, 2],
    ['behind one that was cut off', `\n${record(1)}\n\n{"id":"c\n${record(2)}\n`, 2],
    ['before one that is being written', `\n${record(1)}\n\n{"id":"c","pi`, 1],
  ])('is found: %s', (_, text, pid) => {
    expect(lastRecord(text, 'state.jsonl')?.pid).toBe(pid);
  });

  it.each(['', '\n', '\n{"id":"c"'])('is not there in %j', (text) => {
    expect(lastRecord(text, 'state.jsonl')).toBeUndefined();
  });

  it.each(['\n{"id":\n', '\n[]\n', '\n{"id":"c"}\n'])('is not a record: %j', (text) => {
    expect(() => lastRecord(text, '/run/tsrun/c/state.jsonl')).toThrow('/run/tsrun/c/state.jsonl is not the state of a container');
  });
});
