/** Programs of the host that the runtime starts itself. */
import { tryCall } from '../linux/call.ts';
import { AT_FDCWD } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';

const X_OK = 1;
/** Engines may pass no PATH, or one without the folders of root's programs. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where a command is, by the caller's PATH and by that of the system. */
export function findCommand(sys: Sys, name: string): string | undefined {
  const own = sys.environ.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  return `${own}:${SYSTEM_PATH}`
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => `${directory}/${name}`)
    .find((path) => tryCall(sys, 'faccessat', AT_FDCWD, path, X_OK) === 0);
}
