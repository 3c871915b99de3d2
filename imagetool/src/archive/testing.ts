/** For tests: archives in memory. */

import { fromText } from './byte-string.ts';
import type { TarEntry } from './tar-entry.ts';
import { type TarLimits, TarReader } from './tar-reader.ts';
import { END_OF_ARCHIVE, encodeHeader, paddingFor } from './tar-writer.ts';

export interface Member {
  readonly entry: TarEntry;
  /** Holes filled with zeros. */
  readonly content: Buffer;
}

/** An entry with everything that is not given at its plainest. The path is text. */
export function entryOf(path: string, fields: Partial<TarEntry> = {}): TarEntry {
  return {
    path: fromText(path),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    userName: '',
    groupName: '',
    size: 0,
    mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...fields,
  };
}

export function file(path: string, content: string | Buffer, fields: Partial<TarEntry> = {}): Member {
  const bytes = Buffer.from(content);
  return { entry: entryOf(path, { size: bytes.length, ...fields }), content: bytes };
}

export function member(path: string, fields: Partial<TarEntry>): Member {
  return { entry: entryOf(path, fields), content: Buffer.alloc(0) };
}

export function packMembers(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ entry, content }) => [encodeHeader(entry), content, paddingFor(content.length)]);
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}

/** Reads a whole archive, in chunks of `chunkBytes`. */
export function unpackMembers(archive: Uint8Array, chunkBytes = archive.length, limits: Partial<TarLimits> = {}): Member[] {
  const members: { entry: TarEntry; content: Buffer }[] = [];
  const reader = new TarReader(limits);
  for (let at = 0; at < archive.length; at += chunkBytes) {
    for (const event of reader.push(archive.subarray(at, at + chunkBytes))) {
      if (event.kind === 'entry') members.push({ entry: event.entry, content: Buffer.alloc(event.entry.size) });
      else if (event.kind === 'data') event.bytes.copy(members.at(-1)?.content ?? Buffer.alloc(0), event.offset);
    }
  }
  reader.finish();
  return members;
}
