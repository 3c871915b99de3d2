/** Names in directories as the kernel has them: bytes, which need not be UTF-8. */

/** A name or a relative path, NUL-terminated. */
export type FileName = Uint8Array;

export const S_DIRENT_LINK = 10;
export const S_DIRENT_UNKNOWN = 0;

export interface Entry {
  readonly name: FileName;
  /** DT_… of readdir(3). */
  readonly type: number;
}

const NAME_OFFSET = 19;
const DOT = 0x2e;

/** Reads what getdents64(2) filled in, without `.` and `..`. */
export function decodeEntries(buffer: ArrayBuffer, length: number): Entry[] {
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  const entries: Entry[] = [];
  for (let offset = 0; offset < length; offset += view.getUint16(offset + 16, true)) {
    const start = offset + NAME_OFFSET;
    const name = bytes.slice(start, bytes.indexOf(0, start) + 1);
    const dots = name[0] === DOT && (name.length === 2 || (name.length === 3 && name[1] === DOT));
    if (!dots) entries.push({ name, type: view.getUint8(offset + 18) });
  }
  return entries;
}

/** `directory/name`; the empty directory is the root itself. */
export function joinNames(directory: FileName, name: FileName): FileName {
  if (directory.length <= 1) return name;
  const joined = new Uint8Array(directory.length + name.length);
  joined.set(directory);
  joined[directory.length - 1] = 0x2f;
  joined.set(name, directory.length);
  return joined;
}

/** For messages. */
export function describeName(name: FileName): string {
  return String.fromCharCode(...name.subarray(0, -1));
}
