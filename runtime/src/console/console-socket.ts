/** The connected socket over which a container's init sends the master end of its terminal. */
import { RuntimeError } from '../base/errors.ts';
import { close, open } from '../linux/files.ts';
import { O_DIRECTORY, O_PATH } from '../linux/open-flags.ts';
import { connectUnix, receiveWithFds, socketPair } from '../linux/sockets.ts';
import { terminalModes } from '../linux/terminal.ts';
import type { Sys } from '../sys/sys.ts';

/** `sun_path` holds 107 bytes and a NUL. */
const LONGEST_SOCKET_PATH = 107;
const TERMINAL_NAME_BYTES = 4096;

/**
 * Connects to a socket that somebody else listens on: `--console-socket`, `--pidfd-socket`. Its path may be longer than a socket's address can
 * hold: then the directory is opened, and the socket named through it. The caller closes the descriptor.
 */
export function connectSocket(sys: Sys, path: string): number {
  if (new Uint8Array(sys.encode(path)).length <= LONGEST_SOCKET_PATH) return connectUnix(sys, path);
  const slash = path.lastIndexOf('/');
  const directory = open(sys, slash > 0 ? path.slice(0, slash) : '/', { flags: O_PATH | O_DIRECTORY(sys.arch) });
  try {
    return connectUnix(sys, `/proc/self/fd/${directory}/${path.slice(slash + 1)}`, path);
  } finally {
    close(sys, directory);
  }
}

/** Connects to the socket of `--console-socket`, for the init process. The caller closes the descriptor. */
export function connectConsoleSocket(sys: Sys, path: string): number {
  return connectSocket(sys, path);
}

/** A console socket within this process. */
export interface ConsolePair {
  /** For the init process; closed once it has it. */
  readonly theirs: number;
  readonly ours: number;
  /** Closes both ends. */
  close(): void;
}

export function consolePair(sys: Sys): ConsolePair {
  const [ours, theirs] = socketPair(sys);
  return {
    ours,
    theirs,
    close: () => {
      close(sys, ours);
      close(sys, theirs);
    },
  };
}

/** Takes the terminal that init has sent. Call it when init has made its terminal: it does not wait for one. The caller closes the master. */
export function receiveTerminal(sys: Sys, pair: ConsolePair): number {
  const { fds } = receiveWithFds(sys, pair.ours, TERMINAL_NAME_BYTES, 'the console socket');
  const [master, ...others] = fds;
  for (const fd of others) close(sys, fd);
  if (master !== undefined && terminalModes(sys, master) !== undefined) return master;
  if (master !== undefined) close(sys, master);
  throw new RuntimeError('console', 'the init process sent no terminal', { configPath: 'process.terminal' });
}
