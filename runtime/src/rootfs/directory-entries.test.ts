import { decodeEntries, describeName, type FileName, joinNames } from './directory-entries.ts';

function name(text: string): FileName {
  return new Uint8Array([...text].map((letter) => letter.charCodeAt(0)).concat(0));
}

/** `struct linux_dirent64` (getdents64(2)). */
function dirent(text: string, type: number): Uint8Array {
  const bytes = new Uint8Array((19 + text.length + 1 + 7) & ~7);
  new DataView(bytes.buffer).setUint16(16, bytes.length, true);
  bytes[18] = type;
  bytes.set(name(text), 19);
  return bytes;
}

function buffer(...entries: readonly Uint8Array[]): ArrayBuffer {
  const bytes = new Uint8Array(1024).fill(0xaa);
  let offset = 0;
  for (const entry of entries) {
    bytes.set(entry, offset);
    offset += entry.length;
  }
  return bytes.buffer;
}

describe('decodeEntries', () => {
  it('gives names and types, without the directory itself and its parent', () => {
    const entries = [dirent('.', 4), dirent('..', 4), dirent('...', 8), dirent('.x', 8), dirent('link', 10), dirent('\xff', 8)];
    const length = entries.reduce((sum, entry) => sum + entry.length, 0);
    expect(decodeEntries(buffer(...entries), length).map(({ name: bytes, type }) => [describeName(bytes), type])).toEqual([
      ['...', 8],
      ['.x', 8],
      ['link', 10],
      ['\xff', 8],
    ]);
  });

  it('reads no further than the kernel has written', () => {
    expect(decodeEntries(buffer(dirent('a', 8), dirent('b', 8)), dirent('a', 8).length)).toHaveLength(1);
    expect(decodeEntries(buffer(), 0)).toEqual([]);
  });
});

describe('joinNames', () => {
  it('joins with a slash, and leaves what is in the root as it is', () => {
    expect(joinNames(name(''), name('file'))).toEqual(name('file'));
    expect(joinNames(name('a/b'), name('file'))).toEqual(name('a/b/file'));
  });
});
