import { tryCall } from '../linux/call.ts';
import { close, tryOpen } from '../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';

const LOCK_SH = 1;
const LOCK_NB = 4;

/** Whether a command holds the lock of a container's directory right now, without waiting for it. */
export function isBusy(sys: Sys, directory: string): boolean {
  const fd = tryOpen(sys, directory, { flags: O_RDONLY | O_DIRECTORY(sys.arch) });
  if (fd < 0) return false;
  const result = tryCall(sys, 'flock', fd, LOCK_SH | LOCK_NB);
  close(sys, fd);
  return result < 0;
}
