/** A command line that runs while the test goes on: with pipes, or at a terminal. */
import { join } from 'node:path';
import { call, tryCall } from '../src/linux/call.ts';
import { close, open } from '../src/linux/files.ts';
import { O_CLOEXEC, O_RDWR } from '../src/linux/open-flags.ts';
import { monotonicMs, POLLIN, poll, sleepMs } from '../src/linux/poll.ts';
import { pidfdOpen, shellStatus, waitForExit } from '../src/linux/processes.ts';
import { spawn } from '../src/linux/spawn.ts';
import type { Change, Ground } from './ground.ts';
import type { Pty } from './pty.ts';

const TIMEOUT_MS = 20_000;

export interface AttachedOptions {
  /** Its terminal; the command becomes the leader of a session at it. Which of its streams are not the terminal: `redirect`. */
  readonly pty?: Pty;
  readonly redirect?: { readonly stdin?: number; readonly stdout?: number; readonly stderr?: number };
  readonly flags?: readonly string[];
  readonly environ?: readonly string[];
}

/** The command line to run, and the container it is about. */
interface Subject {
  readonly words: readonly string[];
  readonly id: string;
  readonly bundle: string;
}

/** A command. Its standard error, and without a terminal its output, can be read. */
export class Attached {
  readonly #ground: Ground;
  readonly id: string;
  readonly bundle: string;
  readonly pid: number;
  readonly #pidfd: number;
  /** Our end of its standard input; -1 when it has none, or it is closed. */
  stdin = -1;
  readonly #stdout: number;
  readonly #stderr: number;
  output = '';
  #status: number | undefined;

  private constructor(ground: Ground, { words, id, bundle }: Subject, options: AttachedOptions) {
    this.#ground = ground;
    this.id = id;
    this.bundle = bundle;
    const { sys } = ground;
    const { pty, redirect = {} } = options;
    const [input, stdin] = pty === undefined ? pipe(ground) : [pty.slave, -1];
    const [reader, writer] = pipe(ground);
    const [errorReader, errorWriter] = pipe(ground);
    const stdout = pty === undefined ? writer : pty.slave;
    const stderr = pty === undefined ? errorWriter : pty.slave;
    const command = [ground.command, '--root', ground.root, ...words];
    // setsid(1) takes the terminal that is its standard input.
    const atTerminal = ['setsid', '--ctty', 'sh', '-c', 'exec "$@" <&3 3<&-', 'sh', ...command];
    this.pid = spawn(sys, {
      path: pty === undefined ? ground.command : '/usr/bin/setsid',
      argv: pty === undefined ? command : atTerminal,
      environ: pty === undefined ? (options.environ ?? []) : ['PATH=/usr/bin:/bin', ...(options.environ ?? [])],
      fds: [
        [pty?.slave ?? redirect.stdin ?? input, 0],
        [redirect.stdout ?? stdout, 1],
        [redirect.stderr ?? stderr, 2],
        ...(pty === undefined ? [] : [[redirect.stdin ?? input, 3] as const]),
      ],
    });
    ground.adopt(this.pid);
    this.#pidfd = pidfdOpen(sys, this.pid);
    for (const fd of [writer, errorWriter, ...(pty === undefined ? [input] : [])]) close(sys, fd);
    this.stdin = stdin;
    this.#stdout = reader;
    this.#stderr = errorReader;
  }

  /** `tsrun run` of a new bundle. */
  static run(ground: Ground, change: Change, options: AttachedOptions = {}): Attached {
    const id = ground.id();
    const bundle = ground.bundle(change);
    return new Attached(ground, { id, bundle, words: ['run', ...(options.flags ?? []), '--bundle', bundle, id] }, options);
  }

  /** `tsrun exec` in a running container. */
  static exec(ground: Ground, id: string, args: readonly string[], options: AttachedOptions = {}): Attached {
    return new Attached(ground, { id, bundle: '', words: ['exec', ...(options.flags ?? []), id, ...args] }, options);
  }

  /** `tsrun run` of `sh -c script`, with a terminal if it runs at one. */
  static sh(ground: Ground, script: string, options: AttachedOptions = {}, change: Change = () => undefined): Attached {
    return Attached.run(
      ground,
      (config) => {
        config.process.args = ['sh', '-c', script];
        config.process.terminal = options.pty !== undefined;
        change(config);
      },
      options,
    );
  }

  type(text: string): void {
    const bytes = this.#ground.sys.encode(text);
    call(this.#ground.sys, 'write', 'standard input', this.stdin, bytes, bytes.byteLength);
  }

  endInput(): void {
    close(this.#ground.sys, this.stdin);
    this.stdin = -1;
  }

  signal(number: number): void {
    tryCall(this.#ground.sys, 'kill', this.pid, number);
  }

  /** Reads standard output until it matches. */
  expect(pattern: RegExp): RegExpExecArray {
    const { sys } = this.#ground;
    const deadline = monotonicMs(sys) + TIMEOUT_MS;
    const buffer = new ArrayBuffer(65_536);
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (monotonicMs(sys) > deadline) throw new Error(`${pattern} did not come: ${JSON.stringify(this.output)}`);
      const [events] = poll(sys, [{ fd: this.#stdout, events: POLLIN }], 100);
      if (events === 0) continue;
      const length = tryCall(sys, 'read', this.#stdout, buffer, buffer.byteLength);
      if (length <= 0) throw new Error(`output ended without ${pattern}: ${JSON.stringify(this.output)} ${this.errors()}`);
      this.output += sys.decode(buffer, 0, length);
    }
  }

  /** Reads all of standard output to its end, without keeping it. Returns its length and a checksum. */
  drain(): { readonly length: number; readonly sum: number } {
    return drain(this.#ground, this.#stdout);
  }

  /** All of standard output up to its end. */
  rest(): string {
    const { sys } = this.#ground;
    const buffer = new ArrayBuffer(65_536);
    for (;;) {
      const length = tryCall(sys, 'read', this.#stdout, buffer, buffer.byteLength);
      if (length <= 0) return this.output;
      this.output += sys.decode(buffer, 0, length);
    }
  }

  /** What is on standard error right now. */
  errors(): string {
    const { sys } = this.#ground;
    const [events] = poll(sys, [{ fd: this.#stderr, events: POLLIN }], 0);
    if (events === 0) return '';
    const buffer = new ArrayBuffer(65_536);
    return sys.decode(buffer, 0, Math.max(0, tryCall(sys, 'read', this.#stderr, buffer, buffer.byteLength)));
  }

  /** Waits for the end and returns the exit status. `meanwhile` is called again and again until then. */
  wait(meanwhile: () => void = () => undefined): number {
    const { sys } = this.#ground;
    if (this.#status !== undefined) return this.#status;
    const deadline = monotonicMs(sys) + TIMEOUT_MS;
    while (poll(sys, [{ fd: this.#pidfd, events: POLLIN }], 20)[0] === 0) {
      meanwhile();
      if (monotonicMs(sys) > deadline) {
        this.signal(9);
        waitForExit(sys, this.pid);
        throw new Error(`does not end: ${this.output} ${this.errors()}`);
      }
    }
    meanwhile();
    const exit = waitForExit(sys, this.pid);
    this.#status = exit === undefined ? -1 : shellStatus(exit);
    return this.#status;
  }

  /** Ends it if it runs, and closes everything. */
  dispose(): void {
    const { sys } = this.#ground;
    if (this.#status === undefined) {
      this.signal(9);
      waitForExit(sys, this.pid);
    }
    for (const fd of [this.#pidfd, this.#stdout, this.#stderr, ...(this.stdin < 0 ? [] : [this.stdin])]) close(sys, fd);
  }
}

/** [read end, write end], close-on-exec. */
export function pipe({ sys }: Ground): [number, number] {
  const pair = new ArrayBuffer(8);
  call(sys, 'pipe2', 'pipe', pair, O_CLOEXEC);
  return [new DataView(pair).getInt32(0, true), new DataView(pair).getInt32(4, true)];
}

export function drain({ sys }: Ground, fd: number): { readonly length: number; readonly sum: number } {
  const buffer = new ArrayBuffer(65_536);
  const bytes = new Uint8Array(buffer);
  let length = 0;
  let sum = 0;
  for (;;) {
    const read = tryCall(sys, 'read', fd, buffer, buffer.byteLength);
    if (read <= 0) return { length, sum };
    for (let index = 0; index < read; index++) sum = (sum * 31 + (bytes[index] ?? 0)) | 0;
    length += read;
  }
}

export function openNull({ sys }: Ground): number {
  return open(sys, '/dev/null', { flags: O_RDWR });
}

export function until(ground: Ground, condition: () => boolean, what: string): void {
  for (const deadline = monotonicMs(ground.sys) + TIMEOUT_MS; !condition(); sleepMs(ground.sys, 10)) {
    if (monotonicMs(ground.sys) > deadline) throw new Error(`in vain: ${what}`);
  }
}

export function statePath(ground: Ground, attached: Attached): string {
  return join(ground.root, attached.id);
}
