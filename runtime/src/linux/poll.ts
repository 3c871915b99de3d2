/** ppoll(2) and clocks. */
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';
import { EINTR, syscallError } from './errno.ts';
import { syscallNumber } from './syscall-numbers.ts';

export const POLLIN = 0x1;
export const POLLPRI = 0x2;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;

export interface PollEntry {
  readonly fd: number;
  readonly events: number;
}

function timespec(milliseconds: number): ArrayBuffer {
  const buffer = new ArrayBuffer(16);
  const view = new DataView(buffer);
  view.setBigInt64(0, BigInt(Math.floor(milliseconds / 1000)), true);
  view.setBigInt64(8, BigInt(Math.floor((milliseconds % 1000) * 1e6)), true);
  return buffer;
}

/**
 * Waits for events. Returns the events of each entry, in order; all 0 when the time ran out or a signal interrupted the wait.
 * Without `timeoutMs` it waits for ever.
 */
export function poll(sys: Sys, entries: readonly PollEntry[], timeoutMs?: number): number[] {
  const buffer = new ArrayBuffer(Math.max(8, entries.length * 8));
  const view = new DataView(buffer);
  entries.forEach((entry, index) => {
    view.setInt32(index * 8, entry.fd, true);
    view.setInt16(index * 8 + 4, entry.events, true);
  });
  const timeout = timeoutMs === undefined ? null : timespec(Math.max(0, timeoutMs));
  const result = sys.syscall(syscallNumber(sys.arch, 'ppoll'), buffer, entries.length, timeout, null, 0);
  if (result < 0 && result !== -EINTR) throw syscallError({ syscall: 'ppoll', errno: -result });
  return entries.map((_, index) => (result <= 0 ? 0 : view.getUint16(index * 8 + 6, true)));
}

/** Milliseconds of CLOCK_MONOTONIC, with fractions. */
export function monotonicMs(sys: Sys): number {
  const buffer = new ArrayBuffer(16);
  call(sys, 'clock_gettime', 'CLOCK_MONOTONIC', 1, buffer);
  const view = new DataView(buffer);
  return Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) / 1e6;
}

export function sleepMs(sys: Sys, milliseconds: number): void {
  tryCall(sys, 'nanosleep', timespec(milliseconds), null);
}
