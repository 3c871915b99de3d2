/**
 * Starting a program with posix_spawn(3): no JavaScript runs between fork and exec, so it is safe in a process with threads.
 * The child gets exactly the descriptors listed, default signal dispositions and an empty signal mask, whatever the caller had
 * (Node ignores SIGPIPE and marks 0–2 close-on-exec).
 */
import type { Sys } from '../sys/sys.ts';
import { call } from './call.ts';
import { syscallError } from './errno.ts';
import { close } from './files.ts';
import { libc, stringVector } from './libc.ts';

const F_DUPFD_CLOEXEC = 1030;
const POSIX_SPAWN_SETPGROUP = 0x02;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
/** Larger than glibc's and musl's posix_spawn_file_actions_t and posix_spawnattr_t (80 and 336 bytes in glibc 2.36). */
const OPAQUE_BYTES = 1024;
const SIGSET_BYTES = 128;

export interface SpawnOptions {
  /** Path of the executable, as execve(2) takes it. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly environ: readonly string[];
  /** [our descriptor, its number in the child]. Those not listed reach the child only if they are not close-on-exec. */
  readonly fds: readonly (readonly [number, number])[];
  /** Makes the child the leader of a process group of its own, so that a timeout can kill all that it started. */
  readonly newProcessGroup?: boolean;
  /** Makes the child the leader of a session of its own, without a terminal: for one that outlives its parent. */
  readonly newSession?: boolean;
  /** Working directory of the child. Default: the caller's. */
  readonly cwd?: string;
  /** Closes every descriptor not listed, also those that the caller's own caller left open, where the C library can (glibc 2.34). */
  readonly closeOthers?: boolean;
}

function check(name: string, result: number, object: string): void {
  // These functions return the errno instead of setting it.
  if ((result | 0) !== 0) throw syscallError({ syscall: name, errno: result | 0, object });
}

/** The highest descriptor number a child gets; sources are first moved above it, lest one dup2 destroy the source of another. */
function moveAbove(sys: Sys, fds: SpawnOptions['fds']): number[] {
  const floor = fds.reduce((highest, [, target]) => Math.max(highest, target), 2) + 1;
  return fds.map(([source, target]) =>
    source === target || source >= floor ? source : call(sys, 'fcntl', `descriptor ${source}`, source, F_DUPFD_CLOEXEC, floor),
  );
}

function addDirectoryAndClose(sys: Sys, actions: ArrayBuffer, options: SpawnOptions): void {
  if (options.cwd !== undefined) {
    check('posix_spawn', sys.call(libc(sys, 'posix_spawn_file_actions_addchdir_np'), actions, options.cwd), options.cwd);
  }
  if (options.closeOthers !== true) return;
  const addCloseFrom = sys.symbol('libc.so.6', 'posix_spawn_file_actions_addclosefrom_np');
  const first = options.fds.reduce((highest, [, target]) => Math.max(highest, target), 2) + 1;
  if (addCloseFrom !== 0) check('posix_spawn', sys.call(addCloseFrom, actions, first), 'close descriptors');
}

/** Starts the program and returns its pid; the child is ours to reap. */
export function spawn(sys: Sys, options: SpawnOptions): number {
  const actions = new ArrayBuffer(OPAQUE_BYTES);
  const attributes = new ArrayBuffer(OPAQUE_BYTES);
  check('posix_spawn', sys.call(libc(sys, 'posix_spawn_file_actions_init'), actions), options.path);
  check('posix_spawn', sys.call(libc(sys, 'posix_spawnattr_init'), attributes), options.path);
  const sources = moveAbove(sys, options.fds);
  try {
    const addDup2 = libc(sys, 'posix_spawn_file_actions_adddup2');
    options.fds.forEach(([, target], index) => {
      check('posix_spawn', sys.call(addDup2, actions, sources[index] ?? -1, target), `descriptor ${target}`);
    });
    addDirectoryAndClose(sys, actions, options);
    const all = new ArrayBuffer(SIGSET_BYTES);
    new Uint8Array(all).fill(0xff);
    sys.call(libc(sys, 'posix_spawnattr_setsigdefault'), attributes, all);
    sys.call(libc(sys, 'posix_spawnattr_setsigmask'), attributes, new ArrayBuffer(SIGSET_BYTES));
    const group = options.newProcessGroup === true ? POSIX_SPAWN_SETPGROUP : 0;
    const session = options.newSession === true ? POSIX_SPAWN_SETSID : 0;
    const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group | session;
    sys.call(libc(sys, 'posix_spawnattr_setflags'), attributes, flags);
    const argv = stringVector(sys, options.argv);
    const environ = stringVector(sys, options.environ);
    const pid = new ArrayBuffer(8);
    const result = sys.call(libc(sys, 'posix_spawn'), pid, options.path, actions, attributes, argv, environ);
    check('posix_spawn', result, options.path);
    return new DataView(pid).getInt32(0, true);
  } finally {
    sources.forEach((fd, index) => {
      if (fd !== options.fds[index]?.[0]) close(sys, fd);
    });
    sys.call(libc(sys, 'posix_spawn_file_actions_destroy'), actions);
    sys.call(libc(sys, 'posix_spawnattr_destroy'), attributes);
  }
}
