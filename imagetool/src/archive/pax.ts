/** PAX extended header records: `length key=value\n`, the length counting itself (POSIX.1-2017 pax, "pax Extended Header"). */

import { TarError, type Timestamp } from './tar-entry.ts';

export interface PaxRecord {
  /** Byte string. */
  readonly key: string;
  readonly value: Buffer;
}

/** The records in order: GNU's sparse format 0.0 repeats keys. Throws TarError. */
export function parsePax(bytes: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    // NULs after the last record are padding some writers count as content.
    if (bytes[at] === 0 && bytes.subarray(at).every((byte) => byte === 0)) break;
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    const length = /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space + 1);
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end || equals === space + 1) {
      throw new TarError('an extended header is malformed');
    }
    records.push({ key: bytes.toString('latin1', space + 1, equals), value: bytes.subarray(equals + 1, end - 1) });
    at = end;
  }
  return records;
}

export function encodePaxRecord(key: string, value: Buffer | string): Buffer {
  const content = Buffer.concat([
    Buffer.from(` ${key}=`, 'latin1'),
    typeof value === 'string' ? Buffer.from(value, 'latin1') : value,
    Buffer.from('\n'),
  ]);
  // The length's own digits may make it one digit longer.
  let length = content.length + String(content.length).length;
  if (String(length).length + content.length !== length) length = content.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), content]);
}

/** A decimal, not negative, exact. Throws TarError. */
export function paxInteger(record: PaxRecord): number {
  const text = record.value.toString('latin1');
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new TarError(`extended header ${record.key} is not a number: ${JSON.stringify(text)}`);
  return value;
}

/** Seconds with a fraction, which is cut to nanoseconds. Throws TarError. */
export function paxTime(record: PaxRecord): Timestamp {
  const text = record.value.toString('latin1');
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new TarError(`extended header ${record.key} is not a time: ${JSON.stringify(text)}`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] !== '-') return { seconds, nanoseconds };
  return nanoseconds === 0 ? { seconds: 0 - seconds, nanoseconds: 0 } : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}
