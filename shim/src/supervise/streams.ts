/**
 * A container's standard streams between starts and over them: from its named pipes to the log and to every attached client.
 *
 *     task ─▶ io/stdout ─▶ ┬─▶ log file
 *                          ├─▶ client
 *                          └─▶ client
 */

import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { hasErrorCode } from '../container/files.ts';
import { makeNamedPipe, openReader } from '../stdio/named-pipe.ts';
import type { Sink } from '../stdio/sink.ts';

export type OutputStream = 'stdout' | 'stderr';

/** Takes a chunk; false: it wants no more until it calls `resume` of its own accord. */
export interface Listener {
  readonly wants: ReadonlySet<OutputStream>;
  output(stream: OutputStream, chunk: Uint8Array): void;
  /** More than it likes is waiting for it. */
  readonly isFull: boolean;
}

/** A full pipe to the container's input: its writer waits for this long before it tries again. */
const RETRY_MS = 5;

export interface StreamPaths {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Reading goes on when all who held it up have let go. */
interface Gate {
  hold(): void;
  release(): void;
}

function gateOf(socket: Socket): Gate {
  let holders = 0;
  return {
    hold: () => {
      holders += 1;
      socket.pause();
    },
    release: () => {
      holders -= 1;
      if (holders === 0) socket.resume();
    },
  };
}

export class ContainerStreams {
  readonly #sys: Sys;
  readonly #directory: string;
  readonly #listeners = new Set<Listener>();
  readonly #logs: Partial<Record<OutputStream, Sink>>;
  readonly #sockets: Socket[] = [];
  #ends: Promise<void>[] = [];
  #input: number | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(sys: Sys, directory: string, logs: Partial<Record<OutputStream, Sink>>) {
    this.#sys = sys;
    this.#directory = directory;
    this.#logs = logs;
  }

  /** Makes the pipes of a start. What an earlier start left in them is gone. */
  open(options: { readonly stdin: boolean; readonly tty: boolean }): StreamPaths {
    rmSync(this.#directory, { recursive: true, force: true });
    return this.#openPipes(options);
  }

  /** For a container that another process has started. */
  reopen(options: { readonly stdin: boolean; readonly tty: boolean }): StreamPaths {
    return this.#openPipes(options);
  }

  #openPipes({ stdin, tty }: { readonly stdin: boolean; readonly tty: boolean }): StreamPaths {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const paths = {
      stdin: stdin ? join(this.#directory, 'stdin') : '',
      stdout: join(this.#directory, 'stdout'),
      stderr: tty ? '' : join(this.#directory, 'stderr'),
    };
    if (stdin) {
      makeNamedPipe(this.#sys, paths.stdin);
      // For both directions, since there may be no reader yet.
      this.#input = openSync(paths.stdin, constants.O_RDWR | constants.O_NONBLOCK);
    }
    this.#ends = [];
    for (const stream of ['stdout', 'stderr'] as const) if (paths[stream] !== '') this.#read(stream, paths[stream]);
    return paths;
  }

  #read(stream: OutputStream, path: string): void {
    makeNamedPipe(this.#sys, path);
    const socket = new Socket({ fd: openReader(this.#sys, path), readable: true, writable: false });
    this.#sockets.push(socket);
    const gate = gateOf(socket);
    socket.on('data', (chunk: Uint8Array) => this.#deliver(gate, stream, chunk));
    this.#ends.push(
      new Promise((resolve) => {
        socket.on('close', () => resolve());
        socket.on('error', () => resolve());
      }),
    );
  }

  #deliver(gate: Gate, stream: OutputStream, chunk: Uint8Array): void {
    let isHeldUp = false;
    for (const listener of this.#listeners) {
      if (!listener.wants.has(stream)) continue;
      listener.output(stream, chunk);
      isHeldUp ||= listener.isFull;
    }
    if (isHeldUp) this.#holdUp(gate);
    const log = this.#logs[stream];
    if (log === undefined) return;
    gate.hold();
    if (log.write(chunk, gate.release)) gate.release();
  }

  /** As with a terminal that is not read: the container waits for its slowest reader. */
  #holdUp(gate: Gate): void {
    gate.hold();
    const look = setInterval(() => {
      if ([...this.#listeners].some((listener) => listener.isFull)) return;
      clearInterval(look);
      gate.release();
    }, RETRY_MS);
  }

  /** Returns the function that ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** In the order of the calls. A container that does not read holds its writers up. */
  write(data: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(data));
    return this.#writing;
  }

  async #write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length && this.#input !== undefined; ) {
      try {
        at += writeSync(this.#input, data, at);
      } catch (error) {
        if (!hasErrorCode(error, 'EAGAIN')) throw error;
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
  }

  /** After what has been written: no more input comes from here. */
  endInput(): Promise<void> {
    this.#writing = this.#writing.then(() => {
      if (this.#input !== undefined) closeSync(this.#input);
      this.#input = undefined;
    });
    return this.#writing;
  }

  /** All output has been read. */
  get drained(): Promise<void> {
    return Promise.all(this.#ends).then(() => undefined);
  }

  /** After the end of a start: the log is closed with the container only. */
  async closePipes(): Promise<void> {
    if (this.#input !== undefined) closeSync(this.#input);
    this.#input = undefined;
    for (const socket of this.#sockets.splice(0)) socket.destroy();
    await Promise.all(this.#ends);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.closePipes();
    for (const log of Object.values(this.#logs)) await log.close();
  }
}
