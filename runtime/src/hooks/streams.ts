/** The standard streams of a hook. */
import { call, tryCall } from '../linux/call.ts';
import { close } from '../linux/files.ts';
import { O_CLOEXEC } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';

const MFD_CLOEXEC = 1;

/** [reading end, writing end] of a pipe, close-on-exec, the caller's. */
export function makePipe(sys: Sys): [number, number] {
  const ends = new ArrayBuffer(8);
  call(sys, 'pipe2', 'a pipe', ends, O_CLOEXEC);
  const view = new DataView(ends);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

/**
 * A file in memory that holds the state, to be read from its start. Not a pipe: whether the hook reads it or not, and how long it is, is nobody's
 * trouble then. The caller closes it.
 */
export function stateFile(sys: Sys, state: string): number {
  const fd = call(sys, 'memfd_create', 'the state', 'state', MFD_CLOEXEC);
  const bytes = sys.encode(state);
  const written = tryCall(sys, 'pwrite64', fd, bytes, bytes.byteLength, 0);
  if (written === bytes.byteLength) return fd;
  close(sys, fd);
  throw new Error(`the state could not be written: ${written}`);
}
