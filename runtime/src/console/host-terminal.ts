/** The terminal that the user sits at: raw while a container's terminal is passed through. */
import { tryCall } from '../linux/call.ts';
import { isErrno } from '../linux/errno.ts';
import { close, tryOpen } from '../linux/files.ts';
import { O_NOCTTY, O_RDWR } from '../linux/open-flags.ts';
import {
  rawModes,
  setTerminalModes,
  setTerminalSize,
  type TerminalModes,
  terminalModes,
  terminalSize,
  withoutCarriageReturns,
} from '../linux/terminal.ts';
import type { Sys } from '../sys/sys.ts';

const STDOUT = 1;
/** Usually all three are the terminal. Where some are redirected, any of the others will do. */
const STREAMS = [2, STDOUT, 0];

export class HostTerminal {
  readonly #sys: Sys;
  readonly #fd: number;
  readonly #own: boolean;
  readonly #before: TerminalModes;

  private constructor(sys: Sys, fd: number, own: boolean, before: TerminalModes) {
    this.#sys = sys;
    this.#fd = fd;
    this.#own = own;
    this.#before = before;
  }

  /** The terminal of the standard streams, else the controlling one; undefined when there is none. `restore` ends it. */
  static find(sys: Sys, stdio: readonly [number, number, number]): HostTerminal | undefined {
    for (const stream of STREAMS) {
      const fd = stdio[stream] ?? -1;
      const modes = terminalModes(sys, fd);
      if (modes !== undefined) return new HostTerminal(sys, fd, false, modes);
    }
    const fd = tryOpen(sys, '/dev/tty', { flags: O_RDWR | O_NOCTTY });
    if (fd < 0) return undefined;
    const modes = terminalModes(sys, fd);
    if (modes !== undefined) return new HostTerminal(sys, fd, true, modes);
    close(sys, fd);
    return undefined;
  }

  /**
   * Every key goes to the container from now on, ^C too. `shared`: the container's output does not go to this terminal, but that of other
   * programs does (`tsrun run id | less`): then it goes on treating output.
   */
  makeRaw(options: { readonly shared: boolean }): void {
    setTerminalModes(this.#sys, this.#fd, rawModes(this.#before, { keepOutput: options.shared }));
  }

  /** Gives the container's terminal the size of this one, unless this one does not know its own. */
  sizeTo(master: number): void {
    const size = terminalSize(this.#sys, this.#fd);
    if (size !== undefined && size.rows > 0 && size.columns > 0) setTerminalSize(this.#sys, master, size);
  }

  /** The terminal is as it was. One that has gone in the meantime needs nothing. */
  restore(): void {
    try {
      setTerminalModes(this.#sys, this.#fd, this.#before);
    } catch (error) {
      if (!isErrno(error, ...GONE)) throw error;
    }
    if (this.#own) close(this.#sys, this.#fd);
  }
}

/** EIO: hung up; EBADF, ENOTTY: the descriptor was revoked. */
const GONE = [5, 9, 25];

/**
 * Where the output is no terminal but a file or a pipe, its lines shall end as those of a container without a terminal do: the container's
 * terminal makes no carriage returns.
 */
export function omitCarriageReturns(sys: Sys, master: number): void {
  const modes = terminalModes(sys, master);
  if (modes !== undefined) setTerminalModes(sys, master, withoutCarriageReturns(modes));
}

export function isTerminal(sys: Sys, fd: number): boolean {
  return terminalModes(sys, fd) !== undefined;
}

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Reads and writes return at once. Only for descriptors that nobody else uses: the flag is the open file's, not the descriptor's. */
export function setNonBlocking(sys: Sys, fd: number): void {
  tryCall(sys, 'fcntl', fd, F_SETFL, tryCall(sys, 'fcntl', fd, F_GETFL) | O_NONBLOCK);
}
