/** Staying with a process until it ends: its terminal is passed through, signals reach it, and nothing it leaves behind stays a zombie. */
import type { TerminalCopy } from '../../console/terminal-copy.ts';
import { tryCall } from '../../linux/call.ts';
import { EPERM } from '../../linux/errno.ts';
import { POLLIN, type PollEntry, poll } from '../../linux/poll.ts';
import { PR_SET_CHILD_SUBREAPER } from '../../linux/prctl.ts';
import { type ExitStatus, reapAny, SIGCHLD, SIGHUP, SIGTERM, SIGWINCH, shellStatus } from '../../linux/processes.ts';
import { openSignalSource, type SignalSource } from '../../linux/signal-source.ts';
import { SIGINT, SIGPIPE, SIGQUIT, SIGURG, signalName } from '../../linux/signals.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';

/** Something else to look after meanwhile, such as the container's notifications. */
export interface Attendant {
  /** What to wait for; undefined when there is nothing any more. */
  readonly entry: PollEntry | undefined;
  advance(): void;
}

export interface ForegroundOptions {
  /** A child of this process that nobody has reaped. */
  readonly pid: number;
  /** Its terminal, if it has one: taken before it was executed, so that it sees the right size. The caller closes it. */
  readonly terminal?: TerminalCopy | undefined;
  /** Opened before the process was started, so that no signal is lost. Without it signals are received from here on. */
  readonly signals?: SignalSource | undefined;
  readonly attendant?: Attendant | undefined;
}

/** Processes that lose their parent become children of this process, which reaps them. */
export function becomeSubreaper(sys: Sys): void {
  tryCall(sys, 'prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/** Reaps what has ended in the meantime, before this process ends itself. */
export function reapOrphans(sys: Sys): void {
  while (reapAny(sys) !== undefined);
}

/**
 * Waits for the process to end and returns its exit status, or 128 + the signal that ended it. Reaps every child of this process that ends
 * meanwhile, so it is not for a process that has others which somebody waits for.
 */
export function foreground(context: Context, options: ForegroundOptions): number {
  const signals = options.signals ?? openSignalSource(context.sys);
  try {
    return new Session(context, options, signals).run();
  } finally {
    if (options.signals === undefined) signals.close();
  }
}

/** They come from our own write to a pipe without readers, from Go's scheduler in those who call us, or tell of what we look after ourselves. */
const NOT_FORWARDED: readonly number[] = [SIGPIPE, SIGURG, SIGCHLD, SIGWINCH];
/** When the process has ended and only its output is still being written, these end the writing. */
const ENDING: readonly number[] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

class Session {
  readonly #context: Context;
  readonly #options: ForegroundOptions;
  readonly #signals: SignalSource;
  readonly #terminal: TerminalCopy | undefined;
  #exit: ExitStatus | undefined;
  #abandoned = false;

  constructor(context: Context, options: ForegroundOptions, signals: SignalSource) {
    this.#context = context;
    this.#options = options;
    this.#signals = signals;
    this.#terminal = options.terminal;
  }

  run(): number {
    // It may have ended before its end could be signalled.
    this.#reap();
    for (;;) {
      const exit = this.#exit;
      if (exit !== undefined && (this.#abandoned || this.#terminal?.hasMore() !== true)) return shellStatus(exit);
      this.#wait();
    }
  }

  #wait(): void {
    const { attendant } = this.#options;
    const others = [...(this.#terminal?.entries ?? []), ...(attendant?.entry === undefined ? [] : [attendant.entry])];
    const entries = [{ fd: this.#signals.fd, events: POLLIN }, ...others];
    const events = poll(this.#context.sys, entries);
    const ready = new Set(entries.filter((_, index) => events[index] !== 0).map((entry) => entry.fd));
    this.#terminal?.advance(ready);
    if (attendant?.entry !== undefined && ready.has(attendant.entry.fd)) attendant.advance();
    if (ready.has(this.#signals.fd)) for (const signal of this.#signals.read()) this.#receive(signal);
  }

  #receive(signal: number): void {
    if (signal === SIGCHLD) this.#reap();
    else if (signal === SIGWINCH) this.#terminal?.resize();
    else if (this.#exit !== undefined) this.#abandoned ||= ENDING.includes(signal);
    else if (!NOT_FORWARDED.includes(signal)) this.#forward(signal);
  }

  /** By pid: until we reap it, it cannot be another process's. */
  #forward(signal: number): void {
    const { pid } = this.#options;
    const result = tryCall(this.#context.sys, 'kill', pid, signal);
    // A rootless container's process may have become somebody we cannot signal.
    if (result === -EPERM) this.#context.warn(`cannot forward ${signalName(signal)} to process ${pid}: operation not permitted`);
  }

  #reap(): void {
    for (let exit = reapAny(this.#context.sys); exit !== undefined; exit = reapAny(this.#context.sys)) {
      if (exit.pid === this.#options.pid) this.#exit = exit;
    }
  }
}
