/**
 * What a user without privileges cannot give a file is kept in `user.` xattrs, and given back when a layer is made of the tree.
 *
 * Owners use the name and format of rootlesscontainers (umoci and PRoot know it too): a protobuf message, uid = 1, gid = 2, both varints, absent for
 * owner 0:0. Device nodes become empty files with a mark. Symbolic links and fifos cannot carry `user.` xattrs: theirs are lost, as with umoci.
 */

import type { TarEntry } from '../archive/tar-entry.ts';

export const OWNER_XATTR = 'user.rootlesscontainers';
export const DEVICE_XATTR = 'user.tsrun.device';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export function encodeOwner({ uid, gid }: Owner): Buffer {
  return Buffer.from([...(uid === 0 ? [] : [0x08, ...varint(uid)]), ...(gid === 0 ? [] : [0x10, ...varint(gid)])]);
}

/** Undefined for bytes that are not such a message. */
export function decodeOwner(bytes: Buffer): Owner | undefined {
  const owner = { uid: 0, gid: 0 };
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at];
    at += 1;
    if (tag !== 0x08 && tag !== 0x10) return undefined;
    let value = 0;
    for (let scale = 1, more = true; more; scale *= 128) {
      const byte = bytes[at];
      if (byte === undefined || scale > 128 ** 4) return undefined;
      value += (byte & 0x7f) * scale;
      more = byte > 0x7f;
      at += 1;
    }
    if (value > 0xfffffffe) return undefined;
    if (tag === 0x08) owner.uid = value;
    else owner.gid = value;
  }
  return owner;
}

export function encodeDevice(entry: Pick<TarEntry, 'type' | 'deviceMajor' | 'deviceMinor'>): Buffer {
  return Buffer.from(`${entry.type === 'block' ? 'b' : 'c'} ${entry.deviceMajor} ${entry.deviceMinor}`);
}

export function decodeDevice(bytes: Buffer): Pick<TarEntry, 'type' | 'deviceMajor' | 'deviceMinor'> | undefined {
  const match = /^([bc]) (\d{1,10}) (\d{1,10})$/.exec(bytes.toString('latin1'));
  if (match === null) return undefined;
  return { type: match[1] === 'b' ? 'block' : 'character', deviceMajor: Number(match[2]), deviceMinor: Number(match[3]) };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
