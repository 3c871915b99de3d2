/** Functions of the C library, and strings as it wants them. */
import { RuntimeError } from '../base/errors.ts';
import type { Address, Sys } from '../sys/sys.ts';

/** The address of a function of the C library, glibc or musl. */
export function libc(sys: Sys, name: string): Address {
  const pointer = sys.symbol('libc.so.6', name) || sys.symbol('libc.so', name);
  if (pointer === 0) throw new RuntimeError('missing-symbol', `the C library has no ${name}`);
  return pointer;
}

/**
 * A NULL-terminated array of string pointers, followed by the strings themselves: one buffer, so that whoever holds the array holds the strings.
 */
export function stringVector(sys: Sys, strings: readonly string[]): ArrayBuffer {
  const texts = strings.map((text) => new Uint8Array(sys.encode(text)));
  const pointerBytes = 8 * (strings.length + 1);
  const vector = new ArrayBuffer(texts.reduce((sum, text) => sum + text.length + 1, pointerBytes));
  const bytes = new Uint8Array(vector);
  const view = new DataView(vector);
  const start = sys.address(vector);
  let offset = pointerBytes;
  for (const [index, text] of texts.entries()) {
    view.setBigUint64(index * 8, BigInt(start + offset), true);
    bytes.set(text, offset);
    offset += text.length + 1;
  }
  return vector;
}
