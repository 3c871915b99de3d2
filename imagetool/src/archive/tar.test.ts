import { fc, runs } from '../../../.scripts/jest/fuzz.ts';
import { fromText } from './byte-string.ts';
import { encodePaxRecord, parsePax } from './pax.ts';
import type { EntryType, TarEntry } from './tar-entry.ts';
import { FIELD, readNumber, writeChecksum, writeNumber } from './tar-header.ts';
import { encodeHeader } from './tar-writer.ts';
import { entryOf, file, member, packMembers, unpackMembers } from './testing.ts';

const binary = Buffer.from([1, 0, 0, 2, 0xff, 0xfe, 0x80, 0, 0x0a, 0x3d]);

describe('writing and reading', () => {
  it.each([
    ['a plain file', entryOf('a/b')],
    ['set-uid, set-gid, sticky', entryOf('su', { mode: 0o7755 })],
    ['a name of exactly 100 bytes', entryOf('n'.repeat(100))],
    ['a name for the prefix field', entryOf(`${'p'.repeat(150)}/${'n'.repeat(90)}`)],
    ['a long directory for the prefix field', entryOf(`${'p'.repeat(90)}/${'n'.repeat(90)}/`, { type: 'directory' })],
    ['a name that fits no field', entryOf('x'.repeat(1000))],
    ['a deep name', entryOf(`${'d/'.repeat(400)}f`)],
    ['a name in UTF-8', entryOf('naïve/日本')],
    ['a name in no encoding', { ...entryOf('x'), path: 'caf\xe9\xff' }],
    ['a long link target', entryOf('l', { type: 'symlink', linkName: 'y'.repeat(300) })],
    ['a link target in UTF-8', entryOf('l', { type: 'symlink', linkName: fromText('日本') })],
    ['a hard link', entryOf('h', { type: 'hardlink', linkName: 'a' })],
    ['a device', entryOf('dev', { type: 'block', deviceMajor: 8, deviceMinor: 1 })],
    ['a device with large numbers', entryOf('dev', { type: 'character', deviceMajor: 4095, deviceMinor: 0xfffff000 })],
    ['a fifo', entryOf('p', { type: 'fifo' })],
    ['large ids', entryOf('i', { uid: 0x7ffffff0, gid: 4_000_000_000 })],
    ['a time with nanoseconds', entryOf('t', { mtime: { seconds: 5, nanoseconds: 120 } })],
    ['a time before the epoch', entryOf('t', { mtime: { seconds: -5, nanoseconds: 750_000_000 } })],
    ['a time after 2242', entryOf('t', { mtime: { seconds: 9_000_000_000, nanoseconds: 0 } })],
    [
      'binary xattrs',
      entryOf('c', {
        xattrs: new Map([
          ['security.capability', binary],
          ['user.empty', Buffer.alloc(0)],
        ]),
      }),
    ],
    ['owners by name', entryOf('o', { userName: fromText('jürgen'), groupName: 'staff' })],
  ])('keeps %s', (_, entry) => {
    expect(unpackMembers(packMembers([{ entry, content: Buffer.alloc(0) }]))[0]?.entry).toEqual(entry);
  });

  it('uses ustar alone where it can', () => {
    expect(encodeHeader(entryOf('a'))).toHaveLength(512);
    expect(encodeHeader(entryOf(`${'p'.repeat(150)}/${'n'.repeat(90)}`))).toHaveLength(512);
  });

  it('reads files from chunks of any size', () => {
    const members = [file('a', 'x'.repeat(1000)), file('naïve', 'y'), member('d/', { type: 'directory' }), file('z', Buffer.alloc(512, 7))];
    const archive = packMembers(members);
    for (const chunkBytes of [1, 7, 511, 512, 513, 4096]) expect(unpackMembers(archive, chunkBytes)).toEqual(members);
  });

  it('gives back any entries', () => {
    const types: EntryType[] = ['file', 'hardlink', 'symlink', 'character', 'block', 'directory', 'fifo'];
    const bytes = (max: number) =>
      fc.uint8Array({ minLength: 1, maxLength: max }).map((a) => Buffer.from(a).toString('latin1').replaceAll('\0', 'x'));
    const entry: fc.Arbitrary<TarEntry> = fc.record({
      path: bytes(300),
      type: fc.constantFrom(...types),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.nat(0xfffffffe),
      gid: fc.nat(0xfffffffe),
      userName: bytes(40),
      groupName: bytes(40),
      size: fc.constant(0),
      mtime: fc.record({ seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), nanoseconds: fc.nat(999_999_999) }),
      linkName: bytes(200),
      deviceMajor: fc.nat(0xffffffff),
      deviceMinor: fc.nat(0xffffffff),
      xattrs: fc
        .array(
          fc.tuple(
            bytes(20).map((n) => n.replaceAll('=', '-')),
            fc.uint8Array({ maxLength: 30 }).map((a) => Buffer.from(a)),
          ),
        )
        .map((a) => new Map(a)),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), fc.integer({ min: 100, max: 3000 }), (entries, chunkBytes) => {
        const archive = packMembers(entries.map((one) => ({ entry: one, content: Buffer.alloc(0) })));
        expect(unpackMembers(archive, chunkBytes).map((one) => one.entry)).toEqual(entries);
      }),
      runs(60),
    );
  });
});

describe('numbers', () => {
  const field = { at: 0, length: 12 };
  it.each([0, 1, 8 ** 11 - 1, 8 ** 11, Number.MAX_SAFE_INTEGER, -1, -5_000_000_000])('holds %d', (value) => {
    const block = Buffer.alloc(12);
    writeNumber(block, field, value);
    expect(readNumber(block, field)).toBe(value);
  });

  it.each([
    ['  644 \0\0', 0o644],
    ['\0\0\0\0\0\0\0\0', 0],
    ['0000644 ', 0o644],
    ['        ', 0],
  ])('reads %j', (text, value) => {
    expect(readNumber(Buffer.from(text), { at: 0, length: 8 })).toBe(value);
  });

  it.each(['12x', '9', '-1', '0x1f'])('refuses %j', (text) => {
    expect(() => readNumber(Buffer.from(text), { at: 0, length: text.length })).toThrow(/not octal/);
  });

  it('refuses base-256 numbers that JavaScript cannot hold', () => {
    expect(() => readNumber(Buffer.from('80ffffffffffffffffffffff', 'hex'), field)).toThrow(/too large/);
  });
});

describe('PAX records', () => {
  it('counts its own length, also where that adds a digit', () => {
    for (let length = 0; length < 1200; length += 1) {
      const [record, ...more] = parsePax(encodePaxRecord('k', 'v'.repeat(length)));
      if (record?.value.length !== length || more.length > 0) throw new Error(`wrong at ${length}`);
    }
  });

  it.each(['', '5 a=b', '06 a=b\n', '7 a=b\n', '6 a=b\n6 a=b', '3 =\n', '99999999999 a=b\n', 'x', '6 abc\n'].slice(1))(
    'refuses %j',
    (text) => {
      expect(() => parsePax(Buffer.from(text))).toThrow(/malformed/);
    },
  );
});

describe('hostile archives', () => {
  const header = (change: (block: Buffer) => void): Buffer => {
    const block = Buffer.from(encodeHeader(entryOf('a')));
    change(block);
    writeChecksum(block);
    return block;
  };

  it.each([
    ['a wrong checksum', Buffer.from(encodeHeader(entryOf('a'))).fill('b', 0, 1), /checksum/],
    ['an end in a header', encodeHeader(entryOf('a')).subarray(0, 100), /middle/],
    ['an end in content', encodeHeader(entryOf('a', { size: 5 })), /middle/],
    ['an end after an extended header', encodeHeader(entryOf('日')).subarray(0, 1024), /middle/],
    ['a negative size', header((block) => writeNumber(block, FIELD.size, -512)), /negative/],
    [
      'a huge extended header',
      header((block) => {
        block.write('x', FIELD.type.at);
        writeNumber(block, FIELD.size, 2 ** 32);
      }),
      /4294967296 bytes/,
    ],
    ['an empty name', header((block) => block.fill(0, 0, 100)), /no name/],
    ['a type no layer may hold', header((block) => block.write('M', FIELD.type.at)), /type "M"/],
    ['an id that is none', header((block) => writeNumber(block, FIELD.uid, 0xffffffff)), /no id/],
    ['a block of zeros between entries', Buffer.concat([Buffer.alloc(512), encodeHeader(entryOf('a'))]), /zeros/],
  ])('refuses %s', (_, archive, message) => {
    expect(() => unpackMembers(archive)).toThrow(message);
  });

  it('keeps limits on entries and content', () => {
    const archive = packMembers([file('a', 'x'.repeat(100)), file('b', 'y'.repeat(100))]);
    expect(() => unpackMembers(archive, 512, { maxEntries: 1 })).toThrow(/more than 1 entries/);
    expect(() => unpackMembers(archive, 512, { maxContentBytes: 150 })).toThrow(/150 bytes/);
  });

  it('takes an archive without end marker, and whatever follows the marker', () => {
    const archive = packMembers([file('a', 'x')]);
    expect(unpackMembers(archive.subarray(0, 1024))).toHaveLength(1);
    expect(unpackMembers(Buffer.concat([archive, Buffer.from('rest')]))).toHaveLength(1);
    // Without the last file's padding as well.
    expect(unpackMembers(archive.subarray(0, 513), 100)).toEqual(unpackMembers(archive));
  });

  it('never fails but with a TarError, whatever the bytes', () => {
    const valid = packMembers([file('a', 'x'.repeat(600)), file('日', 'y', { xattrs: new Map([['user.a', binary]]) })]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          unpackMembers(bytes, 700, { maxContentBytes: 100_000 });
        } catch (error) {
          expect(error).toMatchObject({ code: 'tar' });
        }
      }),
      runs(150),
    );
  });
});
