/**
 * A parent that the warm process and its containers are left to: an init agent, a subreaper, of which the warm process is a child. When that one is killed,
 * its containers become the keeper's children, and a container that ends then stays a zombie, which tells its status, until somebody has taken notice of it.
 *
 *     keeper ── warm process ── containers            keeper ── containers, warm process's zombie            keeper ── containers … a new keeper ── new process
 *
 * It ends when it has no children left. What it is asked comes through the socket `keeper-PID-PID` (its own pid, the warm process's) in the shim's directory.
 */
import { RuntimeError } from '../../../runtime/src/base/errors.ts';
import { JUMP_IF_ERROR, JUMP_IF_OK, JUMP_IF_ZERO, RESTART, SET_CHANNEL } from '../../../runtime/src/init/agent/protocol.ts';
import { openAgentImage, startAgent } from '../../../runtime/src/init/agent-process.ts';
import { receiveReply, sendMessage } from '../../../runtime/src/init/channel.ts';
import { decodeReply, encodeProgram } from '../../../runtime/src/init/encode.ts';
import { Program, stringArray, struct } from '../../../runtime/src/init/program.ts';
import { call } from '../../../runtime/src/linux/call.ts';
import { ECONNREFUSED, ENOENT, ESRCH, isErrno, syscallError } from '../../../runtime/src/linux/errno.ts';
import { close, listDirectory, openDirectory, readFileIfExists, unlink } from '../../../runtime/src/linux/files.ts';
import { AT_FDCWD } from '../../../runtime/src/linux/open-flags.ts';
import { PR_SET_CHILD_SUBREAPER } from '../../../runtime/src/linux/prctl.ts';
import {
  decodeExit,
  killAndReap,
  P_PID,
  processStat,
  SIGCHLD,
  SIGINFO_BYTES,
  WEXITED,
  WNOHANG,
} from '../../../runtime/src/linux/processes.ts';
import { connectUnix, listenUnix, SOCK_CLOEXEC } from '../../../runtime/src/linux/sockets.ts';
import type { SpawnOptions } from '../../../runtime/src/linux/spawn.ts';
import { lstat } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';

/** Descriptors of the agent; the last is the first that is free. */
const STDERR = 2;
const LISTENING = 3;
const CHANNEL = 4;
const SIGNALS = 5;

const P_ALL = 0;
const WNOWAIT = 0x01000000;
const CLONE_VFORK = 0x4000;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SFD_NONBLOCK_CLOEXEC = 0x80800;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const EFD_NONBLOCK_CLOEXEC = 0x80800;
const EVENT_BYTES = 8;
/** close_range(2): they are closed by execve. */
const CLOSE_RANGE_CLOEXEC = 4;
const O_NONBLOCK = 0x800;
const SIGSET_BYTES = 8;
const POLLIN = 1;
const BACKLOG = 8;
const SOCKET = /^keeper-(\d+)-(\d+)$/;
const NEW_SOCKET = 'keeper-new';
const ALL_DESCRIPTORS = 0xffffffff;

export interface Keeper {
  readonly pid: number;
  /** The warm process that it was made for. */
  readonly served: number;
}

/**
 * Starts a program as `spawn` does, but as the child of a keeper of its own; the caller can neither wait for it nor need it. Returns its pid.
 * @param directory of the shim, in which nobody else starts one now
 */
export function startUnderKeeper(sys: Sys, directory: string, options: SpawnOptions): number {
  const place = openDirectory(sys, directory);
  const image = openAgentImage(sys);
  unlink(sys, NEW_SOCKET, place);
  const listening = listenUnix(sys, `/proc/self/fd/${place}/${NEW_SOCKET}`, `${directory}/${NEW_SOCKET}`, BACKLOG);
  let keeper = 0;
  try {
    // Those for the program come last, out of the way of its numbers.
    const base = SIGNALS + 1 + options.fds.length;
    const moved = options.fds.map(([fd, target], index) => ({ fd, target, between: base + index }));
    const standard = options.fds.filter(([, target]) => target <= STDERR);
    const agent = startAgent(sys, {
      image,
      fds: [...standard, [listening, LISTENING], ...moved.map(({ fd, between }) => [fd, between] as const)],
      channelFd: CHANNEL,
    });
    keeper = agent.pid;
    try {
      const served = startProgram(sys, agent.channel, options, moved);
      const name = `keeper-${keeper}-${served}`;
      call(sys, 'renameat2', `${directory}/${name}`, place, NEW_SOCKET, place, name, 0);
      sendMessage(sys, agent.channel, encodeProgram(sys, keepingProgram(`${directory}/${name}`, served, [])).message, 'keep');
      return served;
    } finally {
      close(sys, agent.channel);
    }
  } catch (error) {
    killAndReap(sys, keeper);
    unlink(sys, NEW_SOCKET, place);
    throw error;
  } finally {
    close(sys, listening);
    close(sys, image);
    close(sys, place);
  }
}

/** @throws SyscallError when the program cannot be executed */
function startProgram(
  sys: Sys,
  channel: number,
  { path, argv, environ, cwd = '/' }: SpawnOptions,
  fds: readonly { readonly target: number; readonly between: number }[],
): number {
  const program = new Program({ step: 'start the shim' });
  const set = struct([[8, 2 ** (SIGCHLD - 1)]]);
  const info = program.output(SIGINFO_BYTES);
  const event = program.output(EVENT_BYTES);
  const highest = Math.max(...fds.map(({ between }) => between));
  program.call('prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0]);
  program.call('setsid', [], { ignore: 'all' });
  program.call('chdir', [cwd]);
  program.call('close_range', [highest + 1, ALL_DESCRIPTORS, 0], { ignore: 'all' });
  program.call('rt_sigprocmask', [SIG_BLOCK, set, null, SIGSET_BYTES]);
  program.call('signalfd4', [-1, set, SIGSET_BYTES, SFD_NONBLOCK_CLOEXEC]);
  program.call('fcntl', [LISTENING, F_SETFL, O_NONBLOCK]);
  // Told of by the child when it is still there after execve. A status alone may be the program's own, and a child that ends is not yet a zombie when
  // CLONE_VFORK lets the parent go.
  const low = program.call('eventfd2', [0, EFD_NONBLOCK_CLOEXEC]);
  const failure = program.call('fcntl', [low, F_DUPFD_CLOEXEC, highest + 1]);
  program.call('close', [low]);
  const child = program.place();
  const end = program.place();
  const pid = program.call('clone', [CLONE_VFORK + SIGCHLD, 0, 0, 0, 0]);
  program.jumpTo(child, JUMP_IF_ZERO);
  for (const { between } of fds) program.call('close', [between]);
  const executed = program.place();
  program.call('read', [failure, event, EVENT_BYTES]);
  program.jumpTo(executed, JUMP_IF_ERROR);
  program.call('waitid', [P_PID, pid, info, WEXITED, null], { flags: RESTART });
  program.here(executed);
  program.call('close', [failure]);
  program.jump(end);
  program.here(child);
  program.call('rt_sigprocmask', [SIG_UNBLOCK, set, null, SIGSET_BYTES]);
  program.call('setsid', []);
  for (const { between, target } of fds) program.call('dup3', [between, target, 0]);
  const kept = Math.max(STDERR, ...fds.map(({ target }) => target));
  program.call('close_range', [kept + 1, ALL_DESCRIPTORS, CLOSE_RANGE_CLOEXEC]);
  const refusal = program.call('execve', [path, stringArray(argv), stringArray(environ)], { ignore: 'all' });
  program.call('write', [failure, struct([[EVENT_BYTES, 1]]), EVENT_BYTES], { ignore: 'all' });
  program.call('exit_group', [refusal]);
  program.here(end);
  const { message, replyBytes } = encodeProgram(sys, program);
  sendMessage(sys, channel, message, program.label.step);
  const reply = receiveReply(sys, channel, replyBytes, program.label.step);
  if (reply === undefined) throw new RuntimeError('agent-gone', 'the parent of the shim died');
  const { done, value, outputs } = decodeReply(reply, program.operations.length, [SIGINFO_BYTES, EVENT_BYTES]);
  const failed = program.operations[done - 1];
  const result = value(done - 1);
  if (failed !== undefined && failed.call !== 'store' && result < 0)
    throw syscallError({ syscall: failed.call, errno: -result, object: path });
  const exit = decodeExit(outputs[0] ?? new ArrayBuffer(SIGINFO_BYTES));
  // The end of the last operation of the child: what execve has returned.
  if (exit !== undefined) throw syscallError({ syscall: 'execve', errno: 0x100 - exit.status, object: path });
  return value(pid.op);
}

/** Buries the children named, then waits for the next message, and ends when there are no children. Nothing is answered. */
function keepingProgram(socket: string, served: number, pids: readonly number[]): Program {
  const program = new Program({ step: 'keep' });
  program.silent = true;
  const end = program.place();
  const next = program.place();
  const loop = program.place();
  const info = program.output(SIGINFO_BYTES);
  const polled = struct([LISTENING, SIGNALS].flatMap((fd) => [[4, fd] as const, [2, POLLIN] as const, [2, 0] as const]));
  program.call('close', [CHANNEL], { ignore: 'all' });
  for (const pid of pids) program.call('waitid', [P_PID, pid, null, WEXITED + WNOHANG, null], { ignore: 'all' });
  program.here(loop);
  program.call('read', [SIGNALS, info, SIGINFO_BYTES], { ignore: 'all' });
  // Its end is nobody's business.
  program.call('waitid', [P_PID, served, null, WEXITED + WNOHANG, null], { ignore: 'all' });
  program.call('waitid', [P_ALL, 0, info, WEXITED + WNOHANG + WNOWAIT, null]);
  program.jumpTo(end, JUMP_IF_ERROR);
  program.call('accept4', [LISTENING, null, null, SOCK_CLOEXEC], { flags: RESTART + SET_CHANNEL, ignore: 'all' });
  program.jumpTo(next, JUMP_IF_OK);
  program.call('ppoll', [polled, 2, null, null, SIGSET_BYTES], { ignore: 'all' });
  program.jump(loop);
  program.here(end);
  program.call('unlinkat', [AT_FDCWD, socket, 0], { ignore: 'all' });
  program.call('exit_group', [0]);
  program.here(next);
  return program;
}

/** The keepers that are there. What one has left that was killed is removed. */
export function keepersIn(sys: Sys, directory: string): Keeper[] {
  if (lstat(sys, directory) === undefined) return [];
  return listDirectory(sys, directory).flatMap((name) => {
    const [, pid, served] = SOCKET.exec(name) ?? [];
    if (pid === undefined) return [];
    if ((readFileIfExists(sys, `/proc/${pid}/cmdline`) ?? '').startsWith('tsrun-init'))
      return [{ pid: Number(pid), served: Number(served) }];
    unlink(sys, `${directory}/${name}`);
    return [];
  });
}

/** Has dead children of a keeper buried: their ends are known to whoever has to know them. */
export function buryChildren(sys: Sys, directory: string, { pid, served }: Keeper, children: readonly number[]): void {
  const name = `keeper-${pid}-${served}`;
  const place = openDirectory(sys, directory);
  try {
    const channel = connectUnix(sys, `/proc/self/fd/${place}/${name}`, `${directory}/${name}`);
    try {
      sendMessage(sys, channel, encodeProgram(sys, keepingProgram(`${directory}/${name}`, served, children)).message, 'bury children');
    } finally {
      close(sys, channel);
    }
  } catch (error) {
    // It has just ended.
    if (!isErrno(error, ENOENT, ECONNREFUSED)) throw error;
  } finally {
    close(sys, place);
  }
}

/** Children of a process that are dead and not buried. */
export function deadChildren(sys: Sys, pid: number): number[] {
  return childrenOf(sys, pid).filter((child) => processStat(sys, child)?.state === 'Z');
}

/** @param pid a process's, or `self` */
export function childrenOf(sys: Sys, pid: number | 'self'): number[] {
  try {
    return listDirectory(sys, `/proc/${pid}/task`)
      .flatMap((thread) => (readFileIfExists(sys, `/proc/${pid}/task/${thread}/children`) ?? '').split(' '))
      .map(Number)
      .filter((child) => child > 0);
  } catch (error) {
    if (isErrno(error, ENOENT, ESRCH)) return [];
    throw error;
  }
}
