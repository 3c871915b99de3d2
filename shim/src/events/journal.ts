/**
 * Events on disk until containerd has taken them: a file of numbered records, and the number of the last one taken. What is written is in the kernel's
 * hands, and outlives this process however it ends (not the machine, whose containers end with it).
 */
import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const { O_APPEND, O_CREAT, O_RDWR } = constants;
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
/** Length of the bytes that follow (u32), and the record's number (u64); little-endian. */
const HEADER_BYTES = 12;
const NUMBER_BYTES = 8;

export interface JournalRecord {
  /** Counts from 1, over all processes that have used the journal. */
  readonly number: bigint;
  readonly bytes: Uint8Array;
}

export class Journal {
  readonly #records: number;
  readonly #taken: number;
  readonly #waiting: JournalRecord[];
  #last: bigint;

  /** Opens or makes it. @param directory absolute; made with mode 0700 */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
    this.#records = openSync(join(directory, 'records'), O_RDWR | O_CREAT | O_APPEND, PRIVATE_FILE);
    this.#taken = openSync(join(directory, 'taken'), O_RDWR | O_CREAT, PRIVATE_FILE);
    const taken = this.#readTaken();
    const { records, end } = parseRecords(this.#readRecords());
    // The process before was ended in the middle of a write: that event was not yet promised to anybody.
    ftruncateSync(this.#records, end);
    this.#waiting = records.filter(({ number }) => number > taken);
    this.#last = records.at(-1)?.number ?? taken;
  }

  /** The oldest record that has not been taken. */
  get first(): JournalRecord | undefined {
    return this.#waiting[0];
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** When it returns, the record is kept. Throws when there is no room on the device. */
  append(bytes: Uint8Array): void {
    const record = Buffer.alloc(HEADER_BYTES + bytes.length);
    const number = this.#last + 1n;
    record.writeUInt32LE(bytes.length, 0);
    record.writeBigUInt64LE(number, 4);
    record.set(bytes, HEADER_BYTES);
    const { size } = fstatSync(this.#records);
    try {
      writeWhole(this.#records, record);
    } catch (error) {
      ftruncateSync(this.#records, size);
      throw error;
    }
    this.#last = number;
    this.#waiting.push({ number, bytes });
  }

  /** The first record is not needed any more. */
  take(): void {
    const record = this.#waiting.shift();
    if (record === undefined) {
      return;
    }
    const number = Buffer.alloc(NUMBER_BYTES);
    number.writeBigUInt64LE(record.number);
    writeSync(this.#taken, number, 0, NUMBER_BYTES, 0);
    if (this.#waiting.length === 0) {
      ftruncateSync(this.#records, 0);
    }
  }

  close(): void {
    closeSync(this.#records);
    closeSync(this.#taken);
  }

  #readTaken(): bigint {
    const number = Buffer.alloc(NUMBER_BYTES);
    return readSync(this.#taken, number, 0, NUMBER_BYTES, 0) === NUMBER_BYTES ? number.readBigUInt64LE() : 0n;
  }

  #readRecords(): Buffer {
    const bytes = Buffer.alloc(fstatSync(this.#records).size);
    let filled = 0;
    for (let count = 1; count > 0 && filled < bytes.length; filled += count) {
      count = readSync(this.#records, bytes, filled, bytes.length - filled, filled);
    }
    return bytes.subarray(0, filled);
  }
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written);
  }
}

/** The whole records, and where they end. */
function parseRecords(bytes: Buffer): { records: JournalRecord[]; end: number } {
  const records: JournalRecord[] = [];
  let offset = 0;
  while (offset + HEADER_BYTES <= bytes.length) {
    const end = offset + HEADER_BYTES + bytes.readUInt32LE(offset);
    if (end > bytes.length) {
      break;
    }
    records.push({ number: bytes.readBigUInt64LE(offset + 4), bytes: bytes.subarray(offset + HEADER_BYTES, end) });
    offset = end;
  }
  return { records, end: offset };
}
