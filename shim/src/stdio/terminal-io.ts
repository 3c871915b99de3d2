/** The standard streams of a process with a terminal: one descriptor, the terminal's master, is both ends. Standard error does not exist. */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { close } from '../../../runtime/src/linux/files.ts';
import { O_CLOEXEC, O_NOCTTY, O_RDWR } from '../../../runtime/src/linux/open-flags.ts';
import { endOfFileCharacter, setTerminalSize, type TerminalSize, terminalModes } from '../../../runtime/src/linux/terminal.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { setNonBlocking } from './named-pipe.ts';
import { closeOutput, type Output, type OutputEnvironment, openOutputs } from './outputs.ts';
import { PipeSink } from './pipe-sink.ts';
import { openNothing, type ProcessIo, StandardInput, type StreamUris } from './process-io.ts';
import { Pump } from './pump.ts';
import type { Sink } from './sink.ts';

const TIOCGPTPEER = 0x5441;
const F_DUPFD_CLOEXEC = 1030;

/** A terminal that does not exist yet has what it needs; `attach` gives it the master. */
export class TerminalIo implements ProcessIo {
  readonly #environment: OutputEnvironment;
  readonly #input: StandardInput;
  readonly #output: Output;
  readonly #nothing: number;
  #handedOver = false;
  #terminal: Terminal | undefined;
  #toLogger: Sink | undefined;
  #outputClosed: Promise<void> | undefined;
  #resolveDrained: () => void = () => undefined;
  readonly stdio: readonly [number, number, number];
  readonly drained: Promise<void>;

  /** @throws StatusError; then nothing is left */
  static async open(environment: OutputEnvironment, uris: StreamUris): Promise<TerminalIo> {
    const { stdout } = await openOutputs(environment, uris.stdout, '');
    try {
      return new TerminalIo(environment, uris.stdin, stdout);
    } catch (error) {
      await closeOutput(stdout);
      throw error;
    }
  }

  private constructor(environment: OutputEnvironment, stdin: string, output: Output) {
    this.#environment = environment;
    this.#input = new StandardInput(environment.sys, stdin, { blocking: false });
    this.#output = output;
    this.#nothing = openNothing(environment.sys);
    this.stdio = [this.#nothing, this.#nothing, this.#nothing];
    this.drained = new Promise((resolve) => {
      this.#resolveDrained = resolve;
    });
  }

  /** Takes over the master. */
  attach(master: number): void {
    const { sys, poller } = this.#environment;
    setNonBlocking(sys, master);
    const output = new Pump(sys, poller, master, this.#sink(), () => this.#finish());
    const toTerminal = new PipeSink(sys, poller, duplicate(sys, master));
    const typed = this.#input.isNothing
      ? undefined
      : new Pump(sys, poller, this.#input.reader, toTerminal, () => typeEndOfFile(sys, master));
    const peer = tryCall(sys, 'ioctl', master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    this.#terminal = { master, peer, output, input: typed, toTerminal };
  }

  handOver(): void {
    if (!this.#handedOver) close(this.#environment.sys, this.#nothing);
    this.#handedOver = true;
  }

  closeStdin(): void {
    this.#input.end();
  }

  resize(size: TerminalSize): void {
    if (this.#terminal !== undefined) setTerminalSize(this.#environment.sys, this.#terminal.master, size);
  }

  /** The other end was held open: a process may close all of its own, and open its terminal again later. */
  ended(): void {
    this.#input.end();
    const terminal = this.#terminal;
    if (terminal === undefined) {
      this.#finish();
      return;
    }
    terminal.input?.stop();
    if (terminal.peer >= 0) close(this.#environment.sys, terminal.peer);
    terminal.peer = -1;
  }

  async close(): Promise<void> {
    const { sys } = this.#environment;
    this.handOver();
    this.#input.end();
    const terminal = this.#terminal;
    this.#terminal = undefined;
    if (terminal !== undefined) {
      terminal.input?.stop();
      terminal.output.stop();
      await terminal.toTerminal.close();
      for (const fd of [terminal.peer, terminal.master]) if (fd >= 0) close(sys, fd);
    }
    close(sys, this.#input.reader);
    this.#finish();
    await this.#outputClosed;
  }

  #finish(): void {
    this.#outputClosed ??= this.#closeOutput();
    this.#outputClosed.then(this.#resolveDrained, this.#resolveDrained);
  }

  async #closeOutput(): Promise<void> {
    await this.#toLogger?.close();
    await closeOutput(this.#output);
  }

  #sink(): Sink {
    const { sys, poller } = this.#environment;
    const output = this.#output;
    if (output.kind === 'sink') return output.sink;
    if (output.kind === 'null') return NOWHERE;
    // A logger reads what is copied to it, since the process has no pipe.
    const fd = duplicate(sys, output.logger.stdout);
    setNonBlocking(sys, fd);
    this.#toLogger = new PipeSink(sys, poller, fd);
    return this.#toLogger;
  }
}

const NOWHERE: Sink = { write: () => true, close: async () => undefined };

interface Terminal {
  readonly master: number;
  peer: number;
  readonly output: Pump;
  readonly input: Pump | undefined;
  readonly toTerminal: PipeSink;
}

/** So that reading and writing can be waited for apart: one epoll knows a descriptor only once. */
function duplicate(sys: Sys, fd: number): number {
  return tryCall(sys, 'fcntl', fd, F_DUPFD_CLOEXEC, 0);
}

/** A terminal has no end of its own: a reader of lines sees one when the end-of-file character is typed. */
function typeEndOfFile(sys: Sys, master: number): void {
  const modes = terminalModes(sys, master);
  const character = modes === undefined ? undefined : endOfFileCharacter(modes);
  if (character !== undefined) tryCall(sys, 'write', master, Uint8Array.of(character).buffer, 1);
}
