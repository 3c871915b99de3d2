import { google } from './gen/task.js';
import { nanosecondsOf, timestampOf } from './timestamp.ts';

const { Timestamp } = google.protobuf;

describe('Timestamp', () => {
  it.each([0n, 1n, 1_795_514_096_123_456_789n, -1n, -1_500_000_000n])('%s ns survive the wire', (nanoseconds) => {
    const bytes = Timestamp.encode(timestampOf(nanoseconds)).finish();
    expect(nanosecondsOf(Timestamp.decode(bytes))).toBe(nanoseconds);
  });

  it('has nanos that are never negative, as the type demands', () => {
    expect(timestampOf(-1n)).toMatchObject({ seconds: -1, nanos: 999_999_999 });
  });

  it('is 0 when absent', () => {
    expect(nanosecondsOf(null)).toBe(0n);
  });
});
