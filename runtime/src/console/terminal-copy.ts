/** A container's terminal, passed through to the standard streams of the command. */
import { tryCall } from '../linux/call.ts';
import { close } from '../linux/files.ts';
import { O_CLOEXEC, O_NOCTTY, O_RDWR } from '../linux/open-flags.ts';
import type { PollEntry } from '../linux/poll.ts';
import { endOfFileCharacter, terminalModes } from '../linux/terminal.ts';
import type { Sys } from '../sys/sys.ts';
import { HostTerminal, isTerminal, omitCarriageReturns, setNonBlocking } from './host-terminal.ts';
import { Pump } from './pump.ts';

const NEWLINE = 10;
const TIOCGPTPEER = 0x5441;

/**
 * Copies what is typed to the container and what the container prints to standard output. The holder waits for `entries`, calls `advance` for
 * those that have events, `resize` when the user's terminal has changed its size, and `close` in every case: it makes the user's terminal as it was.
 */
export class TerminalCopy {
  readonly #sys: Sys;
  readonly #master: number;
  /**
   * The other end, held open: a container may close all of its own and open /dev/console again later (systemd does), which shall not look like
   * the end of the terminal.
   */
  readonly #peer: number;
  readonly #host: HostTerminal | undefined;
  readonly #input: Pump;
  readonly #output: Pump;
  #open = true;

  /** Takes over the master end. Without a terminal of the user's (`find` in HostTerminal) bytes are copied all the same. */
  constructor(sys: Sys, master: number, stdio: readonly [number, number, number]) {
    this.#sys = sys;
    this.#master = master;
    this.#peer = tryCall(sys, 'ioctl', master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    this.#input = new Pump(sys, stdio[0], master);
    this.#output = new Pump(sys, master, stdio[1]);
    setNonBlocking(sys, master);
    const toTerminal = isTerminal(sys, stdio[1]);
    if (!toTerminal) omitCarriageReturns(sys, master);
    this.#host = HostTerminal.find(sys, stdio);
    this.resize();
    this.#host?.makeRaw({ shared: !toTerminal });
  }

  resize(): void {
    this.#host?.sizeTo(this.#master);
  }

  get entries(): PollEntry[] {
    if (!this.#open) return [];
    return [this.#input.entry, this.#output.entry].filter((entry) => entry !== undefined);
  }

  /** `ready`: the descriptors that have events. */
  advance(ready: ReadonlySet<number>): void {
    const { entry: input } = this.#input;
    const { entry: output } = this.#output;
    if (input !== undefined && ready.has(input.fd)) this.#advanceInput();
    if (output !== undefined && ready.has(output.fd)) this.#output.advance();
    // Nobody reads: the container hears of it as it would from a terminal that was closed.
    if (this.#output.state === 'broken') this.#hangUp();
  }

  #advanceInput(): void {
    this.#input.advance();
    if (this.#input.state === 'ended') this.#endInput();
  }

  /** A terminal has no end of its own: a reader of lines sees one when the end-of-file character is typed, at the start of a line. */
  #endInput(): void {
    const modes = terminalModes(this.#sys, this.#master);
    const character = modes === undefined ? undefined : endOfFileCharacter(modes);
    if (character === undefined) return;
    const midLine = this.#input.lastByte !== -1 && this.#input.lastByte !== NEWLINE;
    const bytes = new Uint8Array(midLine ? [character, character] : [character]);
    tryCall(this.#sys, 'write', this.#master, bytes.buffer, bytes.length);
  }

  /** For the time after the container's process has ended: true while there is output of it left, which `entries` then wait to write. */
  hasMore(): boolean {
    this.#input.state = 'ended';
    return this.#open && this.#output.state === 'open' && (this.#output.isFull || this.#output.refill());
  }

  #hangUp(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#peer >= 0) close(this.#sys, this.#peer);
    close(this.#sys, this.#master);
  }

  close(): void {
    this.#hangUp();
    this.#host?.restore();
  }
}
