/**
 * A hook in the container's namespaces. The init process itself clones it: the hook is what init is at that moment (before the pivot root of the
 * container that sees the host's files, before the program the container's user), and nobody has to enter the namespaces from outside, which the
 * kernel forbids an unprivileged runtime as long as init cannot be traced.
 *
 *     runtime ── descriptors: pipe for output, channel of the hook ──▶ init
 *        │  ◀────────────── pidfd of the hook ────────────────────────┤
 *        │                                                            └─ clone ─▶ hook: streams, group, execve
 *        ├── output, pidfd, deadline ──▶ waits
 *        └── "reap it" ──▶ init
 */
import { JUMP_IF_ZERO, RESTART } from '../init/agent/protocol.ts';
import { encodeProgram } from '../init/encode.ts';
import { InitProcess } from '../init/init-process.ts';
import { data, Program, stringArray } from '../init/program.ts';
import { receiveDescriptors, receivedNumbers, sendDescriptor } from '../init/rights.ts';
import { close } from '../linux/files.ts';
import { CLOSE_RANGE_CLOEXEC } from '../linux/prctl.ts';
import { decodeExit, type ExitStatus, P_PID, SIGCHLD, SIGINFO_BYTES, WEXITED, WNOHANG } from '../linux/processes.ts';
import { receiveWithFds, sendWithFds, socketPair } from '../linux/sockets.ts';
import type { Sys } from '../sys/sys.ts';
import { checkHookEnd, explainHookFailure, type HookPlace, hookArgv, hookError } from './hook.ts';
import { makePipe } from './streams.ts';
import { supervise, timeoutMs } from './supervise.ts';

const MFD_CLOEXEC = 1;
const CLONE_PIDFD = 0x1000;
const DEFAULT_UMASK = 0o022;
const MARK = 'x';

/** The init process to run hooks in. */
export interface HookInit {
  readonly process: InitProcess;
  /** The number that init's channel has in init. */
  readonly channelFd: number;
  /** A directory descriptor of init, where hooks start. */
  readonly directoryFd: number;
}

/**
 * Runs the hook and waits for its end.
 *
 * @param state makes the JSON for its standard input from init's pid as the hook sees it
 * @throws RuntimeError 'hook' when it could not be started, failed, or ran past its timeout
 */
export function runInContainer(sys: Sys, init: HookInit, place: HookPlace, state: (pid: number) => string): void {
  const [output, theirs] = makePipe(sys);
  const [channel, hookChannel] = socketPair(sys);
  const hook = new InitProcess(sys, 0, channel);
  const passed = [theirs, hookChannel];
  let pidfd = -1;
  try {
    const received = handOver(sys, init, place, passed);
    for (const fd of passed.splice(0)) close(sys, fd);
    const cloned = cloneHook(sys, init, place, { ...received, state: state(received.initPid), hook });
    pidfd = cloned.pidfd;
    const supervised = supervise(sys, { pidfd, output }, timeoutMs(place.hook));
    checkHookEnd(place, { ...supervised, exit: reap(init, place, cloned.pid, WNOHANG) });
  } catch (error) {
    throw explainHookFailure(place, error);
  } finally {
    hook.release();
    for (const fd of [output, pidfd, ...passed]) if (fd >= 0) close(sys, fd);
  }
}

interface HandedOver {
  readonly initPid: number;
  /** Numbers in init. */
  readonly outputFd: number;
  readonly hookChannelFd: number;
}

function begin(place: HookPlace): Program {
  return new Program({ step: 'run the hook', configPath: `hooks.${place.name}[${place.index}]` });
}

function handOver(sys: Sys, init: HookInit, place: HookPlace, fds: readonly number[]): HandedOver {
  const program = begin(place);
  const { control } = receiveDescriptors(program, init.channelFd, fds.length, 'descriptors for a hook');
  const pid = program.call('getpid', []);
  init.process.sendEncoded(encodeProgram(sys, program).message, 'run the hook');
  // Bytes behind a program stay in the stream until the program itself takes them.
  sendWithFds(sys, init.process.channel, sys.encode(MARK), fds, 'the init channel');
  const results = init.process.receive(program);
  const [outputFd = -1, hookChannelFd = -1] = receivedNumbers(results.output(control));
  return { initPid: results.value(pid), outputFd, hookChannelFd };
}

interface CloneOptions extends HandedOver {
  readonly state: string;
  /** The hook until its program runs. */
  readonly hook: InitProcess;
}

interface Cloned {
  /** In init's pid namespace. */
  readonly pid: number;
  /** Ours; the caller closes it. */
  readonly pidfd: number;
}

/** Returns when the hook's program runs. */
function cloneHook(sys: Sys, init: HookInit, place: HookPlace, options: CloneOptions): Cloned {
  const { hook } = place;
  const { outputFd, hookChannelFd } = options;
  const program = begin(place);
  const state = data(sys.encode(options.state), 'the state');
  const input = program.call('memfd_create', ['state', MFD_CLOEXEC]);
  program.call('pwrite64', [input, state, state.bytes.length, 0], { object: 'the state' });
  const inHook = program.place();
  const end = program.place();
  const pidfd = program.output(8);
  // The third argument is the same on every architecture: where CLONE_PIDFD puts the descriptor.
  const pid = program.call('clone', [CLONE_PIDFD + SIGCHLD, 0, pidfd, 0, 0]);
  program.jumpTo(inHook, JUMP_IF_ZERO);
  for (const fd of [input, outputFd, hookChannelFd]) program.call('close', [fd]);
  program.jump(end);
  program.here(inHook);
  program.setChannel(hookChannelFd);
  program.call('setpgid', [0, 0]);
  // Init makes files with exactly the modes asked for; after that it has the umask of the container's process.
  if (place.name === 'createContainer') program.call('umask', [DEFAULT_UMASK]);
  program.call('dup3', [input, 0, 0]);
  program.call('dup3', [outputFd, 1, 0]);
  program.call('dup3', [outputFd, 2, 0]);
  program.call('fchdir', [init.directoryFd], { object: "the container's root" });
  // Nothing of the host, and nothing of init's, is the hook's (CVE-2016-9962, CVE-2024-21626).
  program.call('close_range', [3, 0xffffffff, CLOSE_RANGE_CLOEXEC]);
  program.call('execve', [hook.path, stringArray(hookArgv(hook)), stringArray(hook.env ?? [])]);
  program.here(end);
  const results = init.process.run(program);
  const ours = fetchPidfd(sys, init, place, new DataView(results.output(pidfd)).getInt32(0, true));
  try {
    options.hook.awaitExecution(program);
    return { pid: results.value(pid), pidfd: ours };
  } catch (error) {
    close(sys, ours);
    // Without its channel the clone ends.
    options.hook.release();
    reap(init, place, results.value(pid), 0);
    throw error;
  }
}

/** Takes over the pidfd that init got. */
function fetchPidfd(sys: Sys, init: HookInit, place: HookPlace, fd: number): number {
  const program = begin(place);
  sendDescriptor(program, init.channelFd, fd, MARK, 'the init channel');
  program.call('close', [fd]);
  init.process.sendEncoded(encodeProgram(sys, program).message, 'run the hook');
  const [ours] = receiveWithFds(sys, init.process.channel, MARK.length, 'the init channel').fds;
  if (ours === undefined) throw hookError(place, 'its pidfd did not arrive');
  init.process.receive(program);
  return ours;
}

/** Without WNOHANG it waits for the end. */
function reap(init: HookInit, place: HookPlace, pid: number, options: number): ExitStatus | undefined {
  const program = begin(place);
  const info = program.output(SIGINFO_BYTES);
  program.call('waitid', [P_PID, pid, info, WEXITED | options, null], { flags: RESTART });
  return decodeExit(init.process.run(program).output(info));
}
