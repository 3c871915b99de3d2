/**
 * Standard streams without a terminal.
 *
 *     client's pipe ─────────────────────────────────────▶ stdin of the process       its own descriptor: nothing is copied
 *     stdout of the process ─▶ our named pipe ─▶ pump ─▶ client's pipe, file or log files
 *     stdout of the process ─────────────────────────────▶ pipe of a logger           nothing is copied
 *
 * Our pipes have names, and the process has them open for both directions: when this process is killed, the process's writes wait until
 * another one opens the pipes again, and no SIGPIPE comes.
 */
import { call } from '../../../runtime/src/linux/call.ts';
import { close, unlink } from '../../../runtime/src/linux/files.ts';
import { AT_FDCWD } from '../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Logger } from './logger.ts';
import { makeNamedPipe, openForProcess, openReader } from './named-pipe.ts';
import { closeOutput, type Output, type OutputEnvironment, type Outputs, openOutputs } from './outputs.ts';
import { openNothing, type ProcessIo, StandardInput, type StreamUris } from './process-io.ts';
import { Pump } from './pump.ts';
import type { Sink } from './sink.ts';

export interface PipeIoOptions extends StreamUris {
  /** Of our pipes: `stdout` and `stderr` are appended. */
  readonly pipePrefix: string;
  /** Who shall own the pipes, so that a process of a user namespace can open them again. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** A stream that is copied. */
class Relay {
  readonly #sys: Sys;
  readonly #path: string;
  readonly #source: number;
  readonly #sink: Sink;
  readonly #pump: Pump;
  #closed: Promise<void> | undefined;
  readonly drained: Promise<void>;

  /** The pipe must be there. */
  constructor({ sys, poller }: OutputEnvironment, path: string, sink: Sink) {
    this.#sys = sys;
    this.#path = path;
    this.#sink = sink;
    this.#source = openReader(sys, path);
    let drained: () => void = () => undefined;
    this.drained = new Promise((resolve) => {
      drained = resolve;
    });
    // The client is to see the end at once, not only when the process is deleted.
    this.#pump = new Pump(sys, poller, this.#source, sink, () => {
      this.close().then(drained, drained);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** As `close`, but the sink stays the caller's. */
  abandon(): void {
    this.#pump.stop();
    close(this.#sys, this.#source);
    unlink(this.#sys, this.#path);
  }

  async #close(): Promise<void> {
    this.abandon();
    await this.#sink.close();
  }
}

export class PipeIo implements ProcessIo {
  readonly #sys: Sys;
  readonly #input: StandardInput;
  readonly #relays: readonly Relay[];
  readonly #loggers: ReadonlySet<Logger>;
  /** Those of `stdio` that are ours to close. */
  #handles: readonly number[];
  readonly stdio: readonly [number, number, number];
  readonly drained: Promise<void>;

  /** @throws StatusError; then nothing is left */
  static async open(environment: OutputEnvironment, options: PipeIoOptions): Promise<PipeIo> {
    const outputs = await openOutputs(environment, options.stdout, options.stderr);
    let input: StandardInput | undefined;
    try {
      input = new StandardInput(environment.sys, options.stdin, { blocking: true });
      return new PipeIo(environment, input, openStreams(environment, options, outputs));
    } catch (error) {
      if (input !== undefined) {
        close(environment.sys, input.reader);
        input.end();
      }
      for (const output of [outputs.stdout, outputs.stderr]) await closeOutput(output);
      throw error;
    }
  }

  /** For a process that a shim has started which is gone: its pipes are opened again. Its logger needs nobody. */
  static async adopt(environment: OutputEnvironment, options: PipeIoOptions): Promise<PipeIo> {
    const copied = (uri: string): string => (/^binary(-v2)?:/.test(uri) ? '' : uri);
    const io = await PipeIo.open(environment, { ...options, stdout: copied(options.stdout), stderr: copied(options.stderr) });
    io.handOver();
    return io;
  }

  private constructor({ sys }: OutputEnvironment, input: StandardInput, streams: Streams) {
    this.#sys = sys;
    this.#input = input;
    this.#relays = streams.relays;
    this.#loggers = streams.loggers;
    this.stdio = [input.reader, streams.stdout, streams.stderr];
    this.#handles = [input.reader, ...streams.handles];
    this.drained = Promise.all(streams.relays.map((relay) => relay.drained)).then(() => undefined);
  }

  handOver(): void {
    for (const fd of this.#handles) close(this.#sys, fd);
    if (this.#handles.length > 0) for (const logger of this.#loggers) logger.handOver();
    this.#handles = [];
  }

  closeStdin(): void {
    this.#input.end();
  }

  resize(): void {
    // There is no terminal.
  }

  ended(): void {
    this.#input.end();
  }

  async close(): Promise<void> {
    this.handOver();
    this.#input.end();
    await Promise.all([...this.#relays.map((relay) => relay.close()), ...[...this.#loggers].map((logger) => logger.finish())]);
  }
}

interface Streams {
  readonly stdout: number;
  readonly stderr: number;
  /** Those of the two that are ours to close. */
  readonly handles: readonly number[];
  readonly relays: readonly Relay[];
  readonly loggers: ReadonlySet<Logger>;
}

/** On failure nothing of it is left; the outputs stay the caller's. */
function openStreams(environment: OutputEnvironment, options: PipeIoOptions, outputs: Outputs): Streams {
  const { sys } = environment;
  const handles: number[] = [];
  const relays: Relay[] = [];
  const loggers = new Set<Logger>();
  const openStream = (output: Output, stream: 'stdout' | 'stderr'): number => {
    if (output.kind === 'logger') {
      loggers.add(output.logger);
      return output.logger[stream];
    }
    const path = `${options.pipePrefix}${stream}`;
    const fd = output.kind === 'null' ? openNothing(sys) : openPipe(sys, path, options.owner);
    handles.push(fd);
    if (output.kind === 'sink') relays.push(new Relay(environment, path, output.sink));
    return fd;
  };
  try {
    const [stdout, stderr] = [openStream(outputs.stdout, 'stdout'), openStream(outputs.stderr, 'stderr')];
    return { stdout, stderr, handles, relays, loggers };
  } catch (error) {
    for (const fd of handles) close(sys, fd);
    for (const relay of relays) relay.abandon();
    throw error;
  }
}

function openPipe(sys: Sys, path: string, owner: PipeIoOptions['owner']): number {
  makeNamedPipe(sys, path);
  if (owner !== undefined) call(sys, 'fchownat', path, AT_FDCWD, path, owner.uid, owner.gid, 0);
  return openForProcess(sys, path);
}
