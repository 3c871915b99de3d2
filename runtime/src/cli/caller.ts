/** What the caller of the command line passes on to the container: descriptors beside the standard streams. */
import { RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { readLink } from '../linux/files.ts';
import type { Sys } from '../sys/sys.ts';
import { environmentVariable } from './paths.ts';

export interface PassedFds {
  readonly fds: readonly number[];
  readonly environment: readonly string[];
}

const FIRST_FD = 3;
/** Far above what anybody passes, far below what is worth trying one by one. */
const MAX_FDS = 4096;
const F_GETFD = 1;
const FD_CLOEXEC = 1;

/**
 * The sockets of a service manager (sd_listen_fds(3)), which come first and whose variables go along, and after them `count` more.
 * @throws RuntimeError 'preserve-fds' when there are not so many
 */
export function preservedFds(sys: Sys, count: number): PassedFds {
  const listening = listenFds(sys);
  const last = FIRST_FD + listening.count + count;
  if (last > MAX_FDS)
    throw new RuntimeError('preserve-fds', `cannot preserve ${last - FIRST_FD} descriptors: at most ${MAX_FDS - FIRST_FD}`);
  const fds: number[] = [];
  for (let fd = FIRST_FD; fd < last; fd++) {
    if (!isPassed(sys, fd)) {
      const what = fd < FIRST_FD + listening.count ? 'LISTEN_FDS' : `--preserve-fds ${count}`;
      throw new RuntimeError('preserve-fds', `unable to stat preserved-fd ${fd}, which ${what} asks for: it is not open`, {
        configPath: '--preserve-fds',
      });
    }
    fds.push(fd);
  }
  return { fds, environment: listening.environment };
}

/** Node's own descriptors take the numbers after the caller's, an epoll instance first; and it marks the caller's as close-on-exec, too. */
function isPassed(sys: Sys, fd: number): boolean {
  const flags = tryCall(sys, 'fcntl', fd, F_GETFD);
  if (flags < 0) return false;
  return (flags & FD_CLOEXEC) === 0 || readLink(sys, `/proc/self/fd/${fd}`) !== 'anon_inode:[eventpoll]';
}

function listenFds(sys: Sys): { readonly count: number; readonly environment: readonly string[] } {
  const text = environmentVariable(sys, 'LISTEN_FDS') ?? '';
  const pid = environmentVariable(sys, 'LISTEN_PID') ?? '';
  // The variables are inherited by processes for which they are not meant.
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(pid) !== tryCall(sys, 'getpid')) return { count: 0, environment: [] };
  const names = environmentVariable(sys, 'LISTEN_FDNAMES');
  return {
    count: Number(text),
    environment: [`LISTEN_FDS=${text}`, 'LISTEN_PID=1', ...(names === undefined ? [] : [`LISTEN_FDNAMES=${names}`])],
  };
}
