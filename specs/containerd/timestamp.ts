/** google.protobuf.Timestamp from and to nanoseconds since 1970, which no `number` holds. */
import { google } from './gen/task.js';

const SECOND = 1_000_000_000n;

export type Timestamp = google.protobuf.Timestamp.$Properties;

export function timestampOf(nanoseconds: bigint): google.protobuf.Timestamp {
  const nanos = ((nanoseconds % SECOND) + SECOND) % SECOND;
  return google.protobuf.Timestamp.create({ seconds: Number((nanoseconds - nanos) / SECOND), nanos: Number(nanos) });
}

/** An absent timestamp is 0. */
export function nanosecondsOf(timestamp: Timestamp | null | undefined): bigint {
  return BigInt(String(timestamp?.seconds ?? 0)) * SECOND + BigInt(timestamp?.nanos ?? 0);
}

/** The wall clock, in nanoseconds; the engine's clock gives milliseconds, so that is how exact it is. */
export function nowInNanoseconds(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
