import { google, io } from './gen/containerd.js';
import { containerd } from './gen/task.js';
import { TaskV2, TaskV3 } from './task.ts';
import { bigintOf, field64, UINT64_MAX } from './uint64.ts';

const { PidsStat } = io.containerd.cgroups.v2;

describe('64-bit fields', () => {
  it.each([0n, 1n, 2n ** 53n + 1n, UINT64_MAX])('%s survives the wire', (value) => {
    const bytes = PidsStat.encode({ limit: field64(value) }).finish();
    expect(bigintOf(PidsStat.decode(bytes).limit)).toBe(value);
  });

  it('keeps the sign of a signed field', () => {
    const bytes = google.protobuf.Timestamp.encode({ seconds: -5 }).finish();
    expect(bigintOf(google.protobuf.Timestamp.decode(bytes).seconds)).toBe(-5n);
  });
});

describe('messages', () => {
  it('have the field numbers of the wire', () => {
    const bytes = containerd.task.v3.ResizePtyRequest.encode({ id: 'a', execId: 'b', width: 3, height: 4 }).finish();
    expect(Buffer.from(bytes).toString('hex')).toBe('0a016112016218032004');
  });

  it('refuse bytes that are no message', () => {
    expect(() => containerd.task.v3.ResizePtyRequest.decode(Uint8Array.of(0x0a, 0x05, 0x61))).toThrow();
    expect(() => containerd.task.v3.ResizePtyRequest.decode(Uint8Array.of(0x0f))).toThrow();
  });

  it('are the same for both versions of Task', () => {
    expect(Object.keys(TaskV2.methods)).toEqual(Object.keys(TaskV3.methods));
    expect(Object.keys(TaskV3.methods)).toHaveLength(17);
  });
});
