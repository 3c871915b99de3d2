/**
 * The wire format of protobuf by hand, for the command that containerd starts: it runs on the native engine, without Buffer and TextEncoder, and needs
 * five small messages.
 */

/** A field as it was read: length-delimited ones as bytes, varints as numbers, which hold all that is read here; fixed ones are skipped. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export function varintField(number: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array() : concat([varint(number * 8 + VARINT), varint(value)]);
}

/** Absent when empty, as proto3 has it. */
export function bytesField(number: number, value: Uint8Array | ArrayBuffer): Uint8Array {
  const bytes = value instanceof Uint8Array ? value : new Uint8Array(value);
  return bytes.length === 0 ? bytes : concat([varint(number * 8 + BYTES), varint(bytes.length), bytes]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** A copy with a buffer of its own, as Sys takes it. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** Throws a RangeError on bytes that are no message. */
export function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  const cursor = { offset: 0 };
  while (cursor.offset < bytes.length) {
    const key = readVarint(bytes, cursor);
    const number = Math.floor(key / 8);
    if (number === 0) {
      throw new RangeError('a field has the number 0');
    }
    const type = key % 8;
    if (type === VARINT) {
      fields.push({ number, value: readVarint(bytes, cursor) });
    } else if (type === BYTES) {
      const length = readVarint(bytes, cursor);
      fields.push({ number, value: take(bytes, cursor, length) });
    } else if (type === FIXED64 || type === FIXED32) {
      take(bytes, cursor, type === FIXED64 ? 8 : 4);
    } else {
      throw new RangeError(`a field has the unknown type ${type}`);
    }
  }
  return fields;
}

/** The last one counts, as protobuf has it. */
export function bytesOf(fields: readonly Field[], number: number): Uint8Array | undefined {
  const value = fields.findLast((field) => field.number === number)?.value;
  return typeof value === 'number' ? undefined : value;
}

export function numberOf(fields: readonly Field[], number: number): number {
  const value = fields.findLast((field) => field.number === number)?.value;
  return typeof value === 'number' ? value : 0;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function readVarint(bytes: Uint8Array, cursor: { offset: number }): number {
  let value = 0;
  for (let shift = 0; shift < 10; shift++) {
    const byte = bytes[cursor.offset];
    if (byte === undefined) {
      throw new RangeError('the message ends in the middle of a number');
    }
    cursor.offset++;
    value += (byte % 0x80) * 2 ** (7 * shift);
    if (byte < 0x80) {
      return value;
    }
  }
  throw new RangeError('a number has more than ten bytes');
}

function take(bytes: Uint8Array, cursor: { offset: number }, length: number): Uint8Array {
  if (length > bytes.length - cursor.offset) {
    throw new RangeError(`a field of ${length} bytes does not fit into its message`);
  }
  const part = bytes.subarray(cursor.offset, cursor.offset + length);
  cursor.offset += length;
  return part;
}
