/** The data types of SSH's messages and key files (RFC 4251, section 5). */

/** What was to be read ends too early. */
export class WireError extends Error {}

export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE(0);
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }

  text(): string {
    return this.string().toString('utf8');
  }

  /** Throws WireError. */
  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError(`${length} bytes at ${this.#at} of ${this.#bytes.length}`);
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function wireString(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}

/** A number that is not negative: without zeros before it, but one where its first bit is set. */
export function wireInteger(magnitude: Buffer): Buffer {
  const bytes = withoutLeadingZeros(magnitude);
  return wireString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

export function withoutLeadingZeros(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}
