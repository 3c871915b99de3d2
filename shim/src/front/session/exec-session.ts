/** A program more in a running container, its streams on this process's own: by the Task service alone, over named pipes of this process. */

import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { anyOfJson, JSON_TYPES } from '../../../../specs/containerd/any.ts';
import { stringifyJson } from '../../../../specs/json/stringify-json.ts';
import type { Process } from '../../../../specs/runtime/process.ts';
import { ContainerError } from '../../container/errors.ts';
import { recordContainerEvent } from '../../container/events.ts';
import { hasErrorCode, messageOf } from '../../container/files.ts';
import { newId } from '../../container/new-id.ts';
import { containerPlaces } from '../../container/places.ts';
import type { ContainerRecord } from '../../container/record.ts';
import { makeNamedPipe, openReader } from '../../stdio/named-pipe.ts';
import type { Context } from '../context.ts';
import type { Shim } from '../shim.ts';
import { DEFAULT_DETACH_KEYS } from './detach-keys.ts';
import { forwardInput } from './input.ts';
import { watchSize } from './signals.ts';

export interface ExecOptions {
  readonly record: ContainerRecord;
  readonly process: Process;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly isDetached: boolean;
  readonly detachKeys: string | undefined;
}

const RETRY_MS = 5;
const DRAIN_MS = 2_000;

/** The program's exit code; 126 and 127 where it cannot be run. @throws ContainerError */
export async function execSession(context: Context, options: ExecOptions): Promise<number> {
  const { record } = options;
  const shim = await context.shim();
  const execId = newId().slice(0, 12);
  const directory = join(containerPlaces(context.places, record.Id).directory, `exec-${execId}`);
  const words = (options.process.args ?? []).join(' ');
  recordContainerEvent(context.places, record, `exec_create: ${words}`, { execID: execId });
  if (options.isDetached) {
    await begin(shim, options, execId, { stdin: '', stdout: '', stderr: '' });
    return 0;
  }
  const streams = new ExecStreams(await context.sys(), directory, options);
  try {
    await begin(shim, options, execId, streams.paths);
    recordContainerEvent(context.places, record, `exec_start: ${words}`, { execID: execId });
    return await streams.runUntilEnd(shim, options, execId);
  } finally {
    streams.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface StreamPaths {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

async function begin(shim: Shim, options: ExecOptions, execId: string, paths: StreamPaths): Promise<void> {
  const { id } = { id: options.record.Id };
  const spec = anyOfJson(JSON_TYPES.process, stringifyJson(options.process));
  try {
    await shim.tasks.Exec({ id, execId, terminal: options.tty, ...paths, spec });
    await shim.tasks.Start({ id, execId });
  } catch (error) {
    await shim.tasks.Delete({ id, execId }).catch(() => undefined);
    throw execError(error, options.process.args?.[0] ?? '');
  }
}

/** Docker's words and codes for a program that cannot be run. */
function execError(error: unknown, program: string): unknown {
  const text = messageOf(error);
  const prefix = 'OCI runtime exec failed: exec failed: unable to start container process: exec: ';
  if (/not found|no such file|ENOENT/i.test(text) && /process\.args|execve|executable|process\.cwd/.test(text)) {
    const reason = program.includes('/') ? `stat ${program}: no such file or directory` : 'executable file not found in $PATH';
    return new ContainerError('invalid', `${prefix}${JSON.stringify(program)}: ${reason}: unknown`, { exitCode: 127, cause: error });
  }
  if (/permission denied|EACCES|directory|exec format|ENOEXEC/i.test(text)) {
    return new ContainerError('invalid', `${prefix}${JSON.stringify(program)}: permission denied: unknown`, {
      exitCode: 126,
      cause: error,
    });
  }
  return error;
}

class ExecStreams {
  readonly paths: StreamPaths;
  readonly #outputs: { readonly socket: Socket; readonly ended: Promise<void> }[] = [];
  readonly #sys: Sys;
  readonly #cleanups: (() => void)[] = [];
  #input: number | undefined;

  constructor(sys: Sys, directory: string, { stdin, tty }: ExecOptions) {
    this.#sys = sys;
    mkdirSync(directory, { mode: 0o700 });
    const at = (name: string) => join(directory, name);
    this.paths = { stdin: stdin ? at('stdin') : '', stdout: at('stdout'), stderr: tty ? '' : at('stderr') };
    if (stdin) {
      makeNamedPipe(sys, this.paths.stdin);
      this.#input = openSync(this.paths.stdin, constants.O_RDWR | constants.O_NONBLOCK);
    }
    this.#copy(sys, this.paths.stdout, process.stdout);
    if (!tty) this.#copy(sys, this.paths.stderr, process.stderr);
  }

  #copy(sys: Sys, path: string, target: Writable): void {
    makeNamedPipe(sys, path);
    const socket = new Socket({ fd: openReader(sys, path), readable: true, writable: false });
    socket.on('data', (chunk: Uint8Array) => {
      if (target.write(chunk)) return;
      socket.pause();
      once(target, 'drain').then(
        () => socket.resume(),
        () => socket.destroy(),
      );
    });
    const ended = new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
    });
    this.#outputs.push({ socket, ended });
  }

  async runUntilEnd(shim: Shim, options: ExecOptions, execId: string): Promise<number> {
    const id = options.record.Id;
    let leave: () => void = () => undefined;
    const left = new Promise<undefined>((resolve) => {
      leave = () => resolve(undefined);
    });
    if (options.stdin)
      this.#cleanups.push(
        forwardInput(this.#inputTo(shim, id, execId, leave), {
          sys: this.#sys,
          tty: options.tty,
          detachKeys: options.detachKeys ?? DEFAULT_DETACH_KEYS,
        }),
      );
    if (options.tty) {
      this.#cleanups.push(
        watchSize(({ rows, columns }) => {
          shim.tasks.ResizePty({ id, execId, width: columns, height: rows }).catch(() => undefined);
        }),
      );
    }
    const result = await Promise.race([shim.tasks.Wait({ id, execId }), left]);
    if (result === undefined) return 0;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([Promise.all(this.#outputs.map(({ ended }) => ended)), late]);
    clearTimeout(timer);
    await shim.tasks.Delete({ id, execId }).catch(() => undefined);
    return result.exitStatus;
  }

  #inputTo(shim: Shim, id: string, execId: string, detach: () => void) {
    return {
      write: (data: Uint8Array) => this.#write(data),
      end: async () => {
        if (this.#input !== undefined) closeSync(this.#input);
        this.#input = undefined;
        await shim.tasks.CloseIO({ id, execId, stdin: true });
      },
      detach,
    };
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

  close(): void {
    for (const cleanup of this.#cleanups) cleanup();
    for (const { socket } of this.#outputs) socket.destroy();
    if (this.#input !== undefined) closeSync(this.#input);
    this.#input = undefined;
  }
}
