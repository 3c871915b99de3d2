/** A terminal for a command under test, and a command that runs at it. Everything is synchronous. */
import { call, tryCall } from '../src/linux/call.ts';
import { close, open } from '../src/linux/files.ts';
import { O_NOCTTY, O_NONBLOCK, O_RDWR } from '../src/linux/open-flags.ts';
import { monotonicMs, POLLIN, poll } from '../src/linux/poll.ts';
import { setTerminalSize, terminalModes } from '../src/linux/terminal.ts';
import type { Sys } from '../src/sys/sys.ts';

const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const TIMEOUT_MS = 20_000;

export class Pty {
  readonly #sys: Sys;
  readonly master: number;
  /** The end that the command has as its standard streams. */
  readonly slave: number;
  /** All that came out so far. */
  output = '';

  constructor(sys: Sys, rows = 24, columns = 80) {
    this.#sys = sys;
    this.master = open(sys, '/dev/ptmx', { flags: O_RDWR | O_NOCTTY | O_NONBLOCK });
    call(sys, 'ioctl', 'unlock', this.master, TIOCSPTLCK, new ArrayBuffer(4));
    this.slave = call(sys, 'ioctl', 'peer', this.master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    this.resize(rows, columns);
  }

  resize(rows: number, columns: number): void {
    setTerminalSize(this.#sys, this.master, { rows, columns });
  }

  /** The terminal's modes in hexadecimal, to be compared. */
  modes(): string {
    return Buffer.from(terminalModes(this.#sys, this.slave) ?? new ArrayBuffer(0)).toString('hex');
  }

  /** Keys. */
  type(text: string): void {
    const bytes = this.#sys.encode(text);
    call(this.#sys, 'write', 'the terminal', this.master, bytes, bytes.byteLength);
  }

  /** Takes what has come out. Returns false when nothing has. */
  read(): boolean {
    const buffer = new ArrayBuffer(65_536);
    const length = tryCall(this.#sys, 'read', this.master, buffer, buffer.byteLength);
    if (length <= 0) return false;
    this.output += this.#sys.decode(buffer, 0, length);
    return true;
  }

  /** Reads until the output matches. Returns the match. */
  expect(pattern: RegExp): RegExpExecArray {
    const deadline = monotonicMs(this.#sys) + TIMEOUT_MS;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (monotonicMs(this.#sys) > deadline) throw new Error(`${pattern} did not come: ${JSON.stringify(this.output.slice(-2000))}`);
      poll(this.#sys, [{ fd: this.master, events: POLLIN }], 100);
      this.read();
    }
  }

  close(): void {
    close(this.#sys, this.master);
    close(this.#sys, this.slave);
  }
}
