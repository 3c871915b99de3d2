import { idRanges, mapWords } from './id-ranges.ts';

describe('idRanges', () => {
  it('has the user as root, and all ranges of the user after it', () => {
    const text = '# comment\nbob:100000:65536\nalice:200000:1000\n\n1000:300000:10\nalicia:1:1\n';
    expect(idRanges(text, 1000, ['alice', '1000'])).toEqual([
      { inside: 0, outside: 1000, size: 1 },
      { inside: 1, outside: 200_000, size: 1000 },
      { inside: 1001, outside: 300_000, size: 10 },
    ]);
    expect(mapWords(idRanges('alice:5:6', 7, ['alice']))).toEqual(['0', '7', '1', '1', '5', '6']);
  });

  it('has nothing but the user where the file gives none', () => {
    for (const text of ['', 'alice:0:65536', 'alice:100000', 'alice:100000:x', 'alice:100000:0']) {
      expect(idRanges(text, 1000, ['alice'])).toHaveLength(1);
    }
  });
});
