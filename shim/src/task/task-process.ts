/** A process of a task: its init, or one that was executed in it. */
import { consolePair, receiveTerminal } from '../../../runtime/src/console/console-socket.ts';
import type { TerminalSize } from '../../../runtime/src/linux/terminal.ts';
import { nowInNanoseconds } from '../../../specs/containerd/timestamp.ts';
import { messageOf } from '../base/node-error.ts';
import type { OutputEnvironment } from '../stdio/outputs.ts';
import { PipeIo, type PipeIoOptions } from '../stdio/pipe-io.ts';
import type { ProcessIo, StreamUris } from '../stdio/process-io.ts';
import { TerminalIo } from '../stdio/terminal-io.ts';
import type { TaskEnvironment } from './environment.ts';
import { notFound } from './errors.ts';
import type { Stdio } from './operations/operation.ts';
import { type ProcessEnd, UNKNOWN_STATUS, WatchedProcess } from './process-end.ts';
import type { EndRecord, ProcessRecord } from './record.ts';

/** `added`: nothing runs yet. `created`: an init that waits at its gate. */
export type Phase = 'added' | 'created' | 'running' | 'stopped';

export interface ProcessOptions extends StreamUris {
  readonly containerId: string;
  /** '' for the init process. */
  readonly execId: string;
  readonly serial: number;
  readonly terminal: boolean;
  /** Directory for its pipes. */
  readonly directory: string;
  readonly ioOwner: { readonly uid: number; readonly gid: number } | undefined;
  /** JSON of an exec's process. */
  readonly spec?: string | undefined;
}

/** What somebody who starts a process must give it. */
export interface Streams {
  readonly stdio: Stdio;
  readonly consoleFd: number | undefined;
}

/** How a process is started. */
export interface Launch<T> {
  readonly start: (streams: Streams) => Promise<T>;
  /** It is there, and its streams are. */
  readonly begun: (result: T) => void;
  /** It is there, but something else of it cannot be had. */
  readonly takeBack: (result: T) => Promise<void>;
}

interface Launched<T> {
  readonly io: ProcessIo;
  readonly result: T;
}

export class TaskProcess {
  readonly #environment: TaskEnvironment;
  readonly options: ProcessOptions;
  phase: Phase = 'added';
  pid = 0;
  startTime = 0;
  /** Being created or started: its end waits until that is published. */
  starting = false;
  end: ProcessEnd | undefined;
  /** It has ended, and that is not published yet. */
  pendingEnd: ProcessEnd | undefined;
  cause: string | undefined;
  /** Fails with NotFound when it is deleted without ever having run. */
  readonly ended: Promise<ProcessEnd>;
  #resolveEnded: (end: ProcessEnd) => void = () => undefined;
  #rejectEnded: (error: Error) => void = () => undefined;
  #io: ProcessIo | undefined;
  #watched: WatchedProcess | undefined;
  #stdinClosed = false;
  #size: TerminalSize | undefined;

  constructor(environment: TaskEnvironment, options: ProcessOptions) {
    this.#environment = environment;
    this.options = options;
    this.ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve;
      this.#rejectEnded = reject;
    });
    // There may be nobody who waits.
    this.ended.catch(() => undefined);
  }

  get execId(): string {
    return this.options.execId;
  }

  /** Has the process started. When any of it fails, nothing is left. */
  async launch<T>(launch: Launch<T>): Promise<T> {
    const { io, result } = this.options.terminal ? await this.#openTerminal(launch) : await this.#openPipes(launch);
    this.#io = io;
    if (this.#stdinClosed) io.closeStdin();
    if (this.#size !== undefined) io.resize(this.#size);
    return result;
  }

  async #openPipes<T>(launch: Launch<T>): Promise<Launched<T>> {
    const io = await PipeIo.open(this.#outputEnvironment(), this.#pipeOptions());
    return await this.#startWith(io, undefined, launch, () => undefined);
  }

  async #openTerminal<T>(launch: Launch<T>): Promise<Launched<T>> {
    const { sys } = this.#environment;
    const io = await TerminalIo.open(this.#outputEnvironment(), this.options);
    const pair = consolePair(sys);
    try {
      return await this.#startWith(io, pair.theirs, launch, () => io.attach(receiveTerminal(sys, pair)));
    } finally {
      pair.close();
    }
  }

  async #startWith<T>(io: ProcessIo, consoleFd: number | undefined, launch: Launch<T>, attach: () => void): Promise<Launched<T>> {
    try {
      const result = await launch.start({ stdio: io.stdio, consoleFd });
      try {
        attach();
        launch.begun(result);
      } catch (error) {
        await launch.takeBack(result);
        throw error;
      }
      io.handOver();
      return { io, result };
    } catch (error) {
      await io.close();
      throw error;
    }
  }

  #outputEnvironment(): OutputEnvironment {
    const { sys, poller, namespace, warn } = this.#environment;
    return { sys, poller, namespace, warn, containerId: this.options.containerId };
  }

  #pipeOptions(): PipeIoOptions {
    const { stdin, stdout, stderr, directory, serial, ioOwner } = this.options;
    return { stdin, stdout, stderr, pipePrefix: `${directory}/${serial}-`, owner: ioOwner };
  }

  /** The process is there. @param ended called once, when it is not any more */
  follow(pid: number, startTime: number, ended: (end: ProcessEnd) => void): boolean {
    const { sys, poller } = this.#environment;
    this.pid = pid;
    this.startTime = startTime;
    this.#watched = WatchedProcess.watch(sys, poller, { pid, startTime }, ended);
    return this.#watched !== undefined;
  }

  /** Goes on with what a shim has left which is gone. @param ended as of `follow` */
  async adopt(record: ProcessRecord, ended: (end: ProcessEnd) => void): Promise<void> {
    const { phase, pid, startTime, end, stdinClosed } = record;
    this.#stdinClosed = stdinClosed;
    this.phase = phase;
    this.pid = pid;
    this.startTime = startTime;
    if (end !== undefined) {
      const { status, signal, at, unknown = false, cause } = end;
      this.finish({ status, signal, at: BigInt(at), unknown }, cause);
    } else if (phase === 'created' || phase === 'running') {
      if (this.follow(pid, startTime, ended)) await this.#adoptStreams();
      else this.pendingEnd = { status: UNKNOWN_STATUS, signal: undefined, at: nowInNanoseconds(), unknown: true };
    }
  }

  async #adoptStreams(): Promise<void> {
    if (this.options.terminal) return;
    const options = this.#pipeOptions();
    try {
      this.#io = await PipeIo.adopt(this.#outputEnvironment(), this.#stdinClosed ? { ...options, stdin: '' } : options);
    } catch (error) {
      // The process goes on without; its writes wait at its pipe.
      this.#environment.warn(`container ${this.options.containerId}: its streams cannot be opened again: ${messageOf(error)}`);
    }
  }

  /** Returns false when it has ended. */
  kill(signal: number): boolean {
    return this.pendingEnd === undefined && this.end === undefined && this.#watched?.kill(signal) === true;
  }

  /** Its end is known to everybody from now on. */
  finish(end: ProcessEnd, cause: string | undefined): void {
    this.end = end;
    this.cause = cause;
    this.pendingEnd = undefined;
    this.phase = 'stopped';
    this.#watched?.close();
    this.#watched = undefined;
    this.#io?.ended();
    this.#resolveEnded(end);
  }

  /** It is deleted: who waits for an end that cannot come any more is told so. */
  forget(): void {
    const { containerId, execId } = this.options;
    if (this.end === undefined)
      this.#rejectEnded(notFound(`${execId === '' ? 'container' : `process ${execId} of container`} ${containerId}, which never ran,`));
  }

  closeStdin(): void {
    this.#stdinClosed = true;
    this.#io?.closeStdin();
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#io?.resize(size);
  }

  get drained(): Promise<void> {
    return this.#io?.drained ?? Promise.resolve();
  }

  /** Nothing of it is left open. */
  async close(): Promise<void> {
    this.#watched?.close();
    this.#watched = undefined;
    await this.#io?.close();
    this.#io = undefined;
  }

  record(): ProcessRecord {
    const { execId, serial, stdin, stdout, stderr, terminal, spec } = this.options;
    const { phase, pid, startTime, end, cause } = this;
    return {
      ...{ execId, serial, stdin, stdout, stderr, terminal, phase, pid, startTime },
      stdinClosed: this.#stdinClosed,
      ...(end === undefined ? {} : { end: endRecord(end, cause) }),
      ...(spec === undefined || phase !== 'added' ? {} : { spec }),
    };
  }
}

function endRecord({ status, signal, at, unknown }: ProcessEnd, cause: string | undefined): EndRecord {
  return {
    status,
    at: String(at),
    ...(signal === undefined ? {} : { signal }),
    ...(unknown === true ? { unknown } : {}),
    ...(cause === undefined ? {} : { cause }),
  };
}
