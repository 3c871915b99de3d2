/** Telling the caller which process a container's init is: by a file with its pid, by a pidfd over a socket. */
import { connectSocket } from '../../console/console-socket.ts';
import { close, replaceFile } from '../../linux/files.ts';
import { withPidfd } from '../../linux/processes.ts';
import { sendWithFds } from '../../linux/sockets.ts';
import type { Sys } from '../../sys/sys.ts';

export interface Announcements {
  /** Written when the operation has succeeded, and only then: engines take its absence for a failure. */
  readonly pidFile?: string | undefined;
  /** A unix socket that somebody listens on. */
  readonly pidfdSocketPath?: string | undefined;
}

const PID_FILE_MODE = 0o644;
/** What goes along with the pidfd, as runc sends it. */
const INIT_NAME = 'standard';

/** Runs `body` with a connection to the pidfd socket if there is one: whoever gives a wrong path hears of it before anything is done. */
export function withPidfdSocket<T>(sys: Sys, options: Announcements, body: (socket: number | undefined) => T): T {
  if (options.pidfdSocketPath === undefined) return body(undefined);
  const socket = connectSocket(sys, options.pidfdSocketPath);
  try {
    return body(socket);
  } finally {
    close(sys, socket);
  }
}

/** `process` is a child of this process or still runs: its pid cannot be another's. `kind`: "standard" for a container, "setns" for exec. */
export function announce(
  sys: Sys,
  process: { readonly pid: number },
  options: Announcements,
  pidfdSocket: number | undefined,
  kind = INIT_NAME,
): void {
  if (pidfdSocket !== undefined) {
    withPidfd(sys, process.pid, (pidfd) => sendWithFds(sys, pidfdSocket, sys.encode(kind), [pidfd], 'the pidfd socket'));
  }
  if (options.pidFile !== undefined) replaceFile(sys, options.pidFile, String(process.pid), { mode: PID_FILE_MODE });
}
