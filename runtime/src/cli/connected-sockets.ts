/** Sockets that the caller listens on. They are connected before anything is done: a wrong path then costs nothing. */
import { connectUnix } from '../linux/sockets.ts';
import type { Sys } from '../sys/sys.ts';

export interface SocketPaths {
  readonly console: string | undefined;
  readonly pidfd: string | undefined;
}

/** Descriptors, of which the command's end closes what its operation does not. */
export interface ConnectedSockets {
  readonly console: number | undefined;
  readonly pidfd: number | undefined;
}

export function connectedSockets(sys: Sys, paths: SocketPaths): ConnectedSockets {
  const connect = (path: string | undefined) => (path === undefined ? undefined : connectUnix(sys, path));
  return { console: connect(paths.console), pidfd: connect(paths.pidfd) };
}
