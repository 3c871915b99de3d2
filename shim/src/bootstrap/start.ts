/**
 * `start`: the address of the warm process, which is started if there is none. Two commands at once start one: who holds the lock looks again first.
 */
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { close, mkdirAll, open, readFileIfExists, replaceFile, unlink, writeKernelFile } from '../../../runtime/src/linux/files.ts';
import { O_APPEND, O_CREAT, O_RDWR, O_WRONLY } from '../../../runtime/src/linux/open-flags.ts';
import { monotonicMs, sleepMs } from '../../../runtime/src/linux/poll.ts';
import { killAndReap } from '../../../runtime/src/linux/processes.ts';
import { listenUnix } from '../../../runtime/src/linux/sockets.ts';
import type { SpawnOptions } from '../../../runtime/src/linux/spawn.ts';
import { lstat } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { ShimArguments } from './arguments.ts';
import { environmentOf, variable } from './environment.ts';
import { groupOf } from './group.ts';
import { type HoldRequest, hold } from './hold.ts';
import type { BootstrapParams } from './params.ts';
import { type Places, placesOf } from './places.ts';

const LOCK_EX = 2;
/** Not one container's wait for another: a process that is at work answers within milliseconds. */
const ANSWER_MS = 5_000;
/** Between two looks at a process that is ending. */
const ENDING_MS = 5;
/** Node's start on a busy machine. */
const COLD_ANSWER_MS = 30_000;
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
/** No more rights than 0600 for what is made. */
const PRIVATE_MASK = 0o177;
const BACKLOG = 4096;
const MOST_OOM_SCORE = 1000;
/** A log that has grown beyond this begins anew with the next process. */
const MOST_LOG_BYTES = 4 << 20;
const LISTENING_FD = 3;
/** Of the log's end, for an error. */
const TAIL_CHARACTERS = 2000;

/** How the long-running process is started: a program and its first arguments. */
export interface Engine {
  readonly path: string;
  readonly argv: readonly string[];
}

/** Starts it, and returns its pid. @param home directory of the shim */
export type StartEngine = (sys: Sys, home: string, options: SpawnOptions) => number;

/** Returns the text for standard output. Throws an Error that says what to do. */
export function start(sys: Sys, args: ShimArguments, params: BootstrapParams, engine: Engine, startEngine: StartEngine): string {
  const ttrpcAddress = params.ttrpcAddress ?? variable(sys, 'TTRPC_ADDRESS') ?? `${args.address}.ttrpc`;
  const group = groupOf(sys, args.bundle);
  const places = placesOf({
    ...{ address: args.address, namespace: args.namespace, group },
    socketDirectory: params.socketDirectory ?? variable(sys, 'TSRUN_SHIM_SOCKETS'),
    homeDirectory: variable(sys, 'TSRUN_SHIM_HOME'),
  });
  const request = { id: args.id, ttrpcAddress };
  if (hold(sys, places.socket, request, ANSWER_MS) !== 'held') {
    mkdirAll(sys, places.home, PRIVATE_DIRECTORY);
    const lock = lockFile(sys, places.lock);
    try {
      if (holdOrAbsent(sys, places.socket, request) === 'absent') {
        startProcess(sys, args, { places, group, ttrpcAddress, engine, startEngine });
      }
    } finally {
      close(sys, lock);
    }
  }
  const address = `unix://${places.socket}`;
  rememberAddress(sys, address);
  return params.isNew ? JSON.stringify({ version: 3, address, protocol: 'ttrpc' }) : address;
}

/** With the lock held: one that is ending has given its place up, so that it is absent as soon as the kernel has closed its socket. */
function holdOrAbsent(sys: Sys, socket: string, request: HoldRequest): 'held' | 'absent' {
  for (const deadline = monotonicMs(sys) + ANSWER_MS; ; ) {
    const held = hold(sys, socket, request, ANSWER_MS);
    if (held !== 'ending') return held;
    if (monotonicMs(sys) > deadline) throw new Error(`the shim at ${socket} closes every connection without an answer`);
    sleepMs(sys, ENDING_MS);
  }
}

/** In the working directory, which is the bundle: containerd 1.6 looks here for the shim when it comes back from a restart. Newer ones do it themselves. */
function rememberAddress(sys: Sys, address: string): void {
  if (lstat(sys, 'config.json') !== undefined) {
    replaceFile(sys, 'address', address, { mode: PRIVATE_FILE });
  }
}

/** Waits for the lock, which is given back by closing the descriptor. */
export function lockFile(sys: Sys, path: string): number {
  const fd = open(sys, path, { flags: O_RDWR | O_CREAT, mode: PRIVATE_FILE });
  call(sys, 'flock', path, fd, LOCK_EX);
  return fd;
}

interface Start {
  readonly places: Places;
  readonly group: string;
  readonly ttrpcAddress: string;
  readonly engine: Engine;
  readonly startEngine: StartEngine;
}

function startProcess(sys: Sys, args: ShimArguments, { places, group, ttrpcAddress, engine, startEngine }: Start): void {
  const listening = listenAt(sys, places.socket);
  const nothing = open(sys, '/dev/null', { flags: O_RDWR });
  const log = openLog(sys, places.log);
  let pid = 0;
  try {
    const flags = ['-namespace', args.namespace, '-address', args.address, '-socket', places.socket, '-group', group];
    const switches = args.debug ? ['-debug'] : [];
    pid = startEngine(sys, places.home, {
      path: engine.path,
      argv: [...engine.argv, ...flags, ...switches, 'serve'],
      environ: environmentOf(sys, { ttrpcAddress }),
      fds: [
        [nothing, 0],
        [nothing, 1],
        [log, 2],
        [listening, LISTENING_FD],
      ],
      newSession: true,
      closeOthers: true,
      cwd: '/',
    });
    raiseOomScore(sys, pid);
    const held = hold(sys, places.socket, { id: args.id, ttrpcAddress }, COLD_ANSWER_MS);
    if (held !== 'held') throw new Error('it ended at once');
  } catch (error) {
    killAndReap(sys, pid);
    unlink(sys, places.socket);
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`the shim's process could not be started: ${text}${tailOf(sys, places.log)}`);
  } finally {
    close(sys, listening);
    close(sys, nothing);
    close(sys, log);
  }
}

/** With the lock held: what is at the path belongs to a process that has died. */
function listenAt(sys: Sys, path: string): number {
  mkdirAll(sys, path.slice(0, path.lastIndexOf('/')), PRIVATE_DIRECTORY);
  unlink(sys, path);
  const mask = call(sys, 'umask', path, PRIVATE_MASK);
  try {
    return listenUnix(sys, path, path, BACKLOG);
  } finally {
    tryCall(sys, 'umask', mask);
  }
}

function openLog(sys: Sys, path: string): number {
  if ((lstat(sys, path)?.sizeBytes ?? 0) > MOST_LOG_BYTES) {
    unlink(sys, path);
  }
  return open(sys, path, { flags: O_WRONLY | O_CREAT | O_APPEND, mode: PRIVATE_FILE });
}

/** One above containerd's, as containerd's own shim does it: a shim goes before its daemon. */
function raiseOomScore(sys: Sys, pid: number): void {
  const parent = call(sys, 'getppid', '');
  const score = Number(readFileIfExists(sys, `/proc/${parent}/oom_score_adj`) ?? Number.NaN);
  if (!Number.isNaN(score)) {
    writeKernelFile(sys, `/proc/${pid}/oom_score_adj`, String(Math.min(score + 1, MOST_OOM_SCORE)));
  }
}

function tailOf(sys: Sys, path: string): string {
  const text = (readFileIfExists(sys, path) ?? '').trim();
  return text === '' ? '' : `\nthe end of ${path}:\n${text.slice(-TAIL_CHARACTERS)}`;
}
