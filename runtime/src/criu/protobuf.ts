/** The wire format of protocol buffers, as far as CRIU's messages need it: varints and length-delimited fields (protobuf.dev, "Encoding"). */
import type { Sys } from '../sys/sys.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A message that is being written, field by field. A value of undefined is a field left out. */
export class MessageWriter {
  readonly #sys: Sys;
  readonly #bytes: number[] = [];

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  /** int32, uint32 or an enumeration; not negative. */
  number(field: number, value: number | undefined): this {
    if (value === undefined) return this;
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  flag(field: number, value: boolean | undefined): this {
    return this.number(field, value === undefined ? undefined : Number(value));
  }

  text(field: number, value: string | undefined): this {
    return value === undefined ? this : this.#delimited(field, new Uint8Array(this.#sys.encode(value)));
  }

  texts(field: number, values: readonly string[]): this {
    for (const value of values) this.text(field, value);
    return this;
  }

  message(field: number, value: MessageWriter | undefined): this {
    return value === undefined ? this : this.#delimited(field, new Uint8Array(value.#bytes));
  }

  messages(field: number, values: readonly MessageWriter[]): this {
    for (const value of values) this.message(field, value);
    return this;
  }

  finish(): ArrayBuffer {
    return new Uint8Array(this.#bytes).buffer;
  }

  #delimited(field: number, bytes: Uint8Array): this {
    this.#varint(field * 8 + BYTES);
    this.#varint(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes.push((rest % 0x80) | 0x80);
    this.#bytes.push(rest);
  }
}

/** A message that was received. Of a field that is there more than once, the last counts. @throws RangeError for what is no message */
export class MessageReader {
  readonly #sys: Sys;
  readonly #fields = new Map<number, number | Uint8Array>();

  constructor(sys: Sys, bytes: Uint8Array) {
    this.#sys = sys;
    const cursor = new Cursor(bytes);
    while (cursor.more) {
      const tag = cursor.varint();
      const value = cursor.value(tag % 8);
      this.#fields.set(Math.floor(tag / 8), value);
    }
  }

  /** Of an int32, whose negative values are written as 64 bits. */
  number(field: number): number | undefined {
    const value = this.#fields.get(field);
    return typeof value === 'number' ? value | 0 : undefined;
  }

  flag(field: number): boolean {
    return this.number(field) === 1;
  }

  text(field: number): string | undefined {
    const bytes = this.#bytes(field);
    return bytes === undefined ? undefined : this.#sys.decode(bytes.slice().buffer);
  }

  message(field: number): MessageReader | undefined {
    const bytes = this.#bytes(field);
    return bytes === undefined ? undefined : new MessageReader(this.#sys, bytes);
  }

  #bytes(field: number): Uint8Array | undefined {
    const value = this.#fields.get(field);
    return value instanceof Uint8Array ? value : undefined;
  }
}

class Cursor {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get more(): boolean {
    return this.#position < this.#bytes.length;
  }

  /** The low 32 bits count; the rest is read over. */
  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#take(1)[0] ?? 0;
      if (shift < 32) value = (value | ((byte & 0x7f) << shift)) >>> 0;
      if (byte < 0x80) return value;
    }
  }

  value(wireType: number): number | Uint8Array {
    switch (wireType) {
      case VARINT:
        return this.varint();
      case BYTES:
        return this.#take(this.varint());
      case FIXED64:
        return this.#take(8);
      case FIXED32:
        return this.#take(4);
      default:
        throw new RangeError(`no protocol buffer: wire type ${wireType}`);
    }
  }

  #take(count: number): Uint8Array {
    const end = this.#position + count;
    if (end > this.#bytes.length) throw new RangeError('no protocol buffer: it ends too early');
    const part = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return part;
  }
}
