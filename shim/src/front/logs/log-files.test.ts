import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeLogFiles, linesFrom, openLogFiles, positionOfTail } from './log-files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function tail(count: number, ...texts: string[]): string[] {
  const path = join(directory, 'log');
  for (const [index, text] of texts.entries())
    writeFileSync(index === texts.length - 1 ? path : `${path}.${texts.length - 1 - index}`, text);
  const files = openLogFiles(path);
  const start = positionOfTail(files, count);
  const lines = files.flatMap(({ fd }, index) =>
    index < start.file ? [] : [...linesFrom(fd, index === start.file ? start.offset : 0)].map(({ line }) => line),
  );
  closeLogFiles(files);
  return lines;
}

describe('positionOfTail', () => {
  it('finds the last lines, over rotated files', () => {
    expect(tail(2, 'a\nb\nc\n')).toEqual(['b', 'c']);
    expect(tail(3, 'a\nb\n', 'c\nd\n')).toEqual(['b', 'c', 'd']);
    expect(tail(2, 'a\nb\n', 'c\nd\n')).toEqual(['c', 'd']);
    expect(tail(9, 'a\n', '')).toEqual(['a']);
    expect(tail(0, 'a\nb\n')).toEqual([]);
  });

  it('finds them however long the lines are', () => {
    const long = 'x'.repeat(100_000);
    expect(tail(2, `${long}1\n${long}2\n${long}3\n`)).toEqual([`${long}2`, `${long}3`]);
  });
});

describe('linesFrom', () => {
  it('leaves what is not whole yet', () => {
    expect(tail(5, 'a\nb')).toEqual(['a']);
  });
});
