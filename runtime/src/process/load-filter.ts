/**
 * The filter as the last thing before execve(2). From the system call that loads it on, the process makes execve and nothing else, so that the strictest
 * profile has to allow no more than that.
 *
 * With a listener somebody must hand it over, and the filter may forbid that. So it is done by a second thread of the process, which is started before,
 * is not filtered, and sees the listener in the descriptor table that threads share:
 *
 *     process:  clone ─▶ seccomp(NEW_LISTENER) ─▶ note its number ───── wait, without a call ─────────────▶ execve
 *     thread:      └───── wait for the number ─────────────▶ send the listener ─▶ wait for the answer ─▶ go, exit
 *
 * execve ends the thread, if it has not ended itself, and closes the listener in the container's program.
 */
import { JUMP_IF_ERROR, JUMP_IF_ZERO, RESTART } from '../init/agent/protocol.ts';
import { type AgentFds, closeTemporaries } from '../init/agent-fds.ts';
import { LISTENER_MARK } from '../init/listener.ts';
import { type Data, data, type Output, Program, type ResultOf, struct } from '../init/program.ts';
import { sendDescriptor } from '../init/rights.ts';
import { CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM } from '../linux/namespaces.ts';
import { O_CLOEXEC } from '../linux/open-flags.ts';
import { PR_SET_NAME } from '../linux/prctl.ts';
import { syscallNumber } from '../linux/syscall-numbers.ts';
import type { RlimitStep } from '../plan/steps.ts';
import { INSTRUCTION_BYTES } from '../seccomp/classic-bpf.ts';
import { allows, type Filter } from '../seccomp/filter.ts';
import { FLAG_NEW_LISTENER, SECCOMP_SET_MODE_FILTER } from '../seccomp/flags.ts';
import { SECCOMP_PATH } from '../seccomp/profile.ts';
import type { Architecture } from '../sys/sys.ts';
import { compileRlimit } from './compile.ts';

/**
 * The process's name between the filter and its program. No program can have it: the kernel names a process after the last part of a path. So who
 * finds a process with this name dead knows that it executed nothing (`operations/execution.ts`).
 */
export const WAITING_NAME = 'tsrun/filtered';

const PROGRAM_POINTER_OFFSET = 8;
const LOOK_AGAIN_NS = 20_000;
const STEP = 'load the seccomp filter';

export interface FilterLoad {
  readonly filter: Filter;
  readonly arch: Architecture;
  /** The number of the channel that the program comes through. */
  readonly channelFd: number;
  readonly fds: AgentFds;
  /** Limits the number of descriptors; set when no more of them are needed. */
  readonly descriptorLimit: RlimitStep | undefined;
}

/** `struct sock_fprog`. */
function sockProgram(filter: Filter): Data {
  const header = new Uint8Array(16);
  new DataView(header.buffer).setUint16(0, filter.program.byteLength / INSTRUCTION_BYTES, true);
  const instructions = data(filter.program);
  return {
    kind: 'data',
    bytes: header,
    pointers: [[PROGRAM_POINTER_OFFSET, instructions]],
    note: `{${filter.program.byteLength / INSTRUCTION_BYTES} instructions}`,
  };
}

/** What an init process calls behind its filter while it waits to be started, and then on the way to execve(2). */
const WAITING_CALLS = ['read', 'sendto', 'madvise', 'accept4', 'close', 'close_range', 'exit_group'] as const;
/** And for hooks that run in it. */
const HOOK_CALLS = ['recvmsg', 'sendmsg', 'getpid', 'memfd_create', 'pwrite64', 'clone', 'setpgid', 'dup3', 'fchdir', 'waitid'] as const;

/**
 * Whether init can be filtered before it waits, as it is with runc: then hooks of startContainer are filtered, too, and a listener is handed over at
 * create. A filter that forbids what the waiting takes is loaded just before execve.
 */
export function letsInitWait({ filter, arch, descriptorLimit }: FilterLoad, hooks: boolean): boolean {
  const calls = [
    ...WAITING_CALLS,
    ...(hooks ? HOOK_CALLS : []),
    ...(filter.notifies ? (['dup3', 'sendmsg'] as const) : []),
    ...(descriptorLimit === undefined ? [] : (['prlimit64'] as const)),
  ];
  return calls.every((name) => allows(filter, arch, syscallNumber(arch, name)));
}

/** Loads a filter that lets init wait. One with a listener is sent through the channel, as `executeHandingOver` takes it. */
export function filterProgram({ filter, channelFd, fds }: FilterLoad): Program {
  const program = new Program({ step: STEP, configPath: SECCOMP_PATH });
  program.call('prctl', [PR_SET_NAME, WAITING_NAME, 0, 0, 0], { object: 'PR_SET_NAME' });
  if (!filter.notifies) {
    program.call('seccomp', [SECCOMP_SET_MODE_FILTER, filter.flags, sockProgram(filter)], { object: 'the filter' });
    return program;
  }
  closeTemporaries(program, fds);
  const flags = filter.flags | FLAG_NEW_LISTENER;
  const listener = program.call('seccomp', [SECCOMP_SET_MODE_FILTER, flags, sockProgram(filter)], { object: 'the filter' });
  appendHandOver(program, listener, channelFd, fds);
  closeTemporaries(program, fds);
  return program;
}

function appendHandOver(program: Program, listener: ResultOf, channelFd: number, fds: AgentFds): void {
  program.step('hand the seccomp listener over', `${SECCOMP_PATH}.listenerPath`);
  // The message names a number that is known beforehand.
  const known = fds.temporary + 1;
  program.call('dup3', [listener, known, O_CLOEXEC]);
  sendDescriptor(program, channelFd, known, LISTENER_MARK, 'the init channel');
}

/** Appends the load. An execve follows, and then `appendFailure`. */
export function appendFilter(program: Program, load: FilterLoad): void {
  const { filter, descriptorLimit } = load;
  program.step(STEP, SECCOMP_PATH);
  program.call('prctl', [PR_SET_NAME, WAITING_NAME, 0, 0, 0], { object: 'PR_SET_NAME' });
  if (filter.notifies) appendWithListener(program, load);
  else {
    if (descriptorLimit !== undefined) compileRlimit(program, descriptorLimit);
    program.step(STEP, SECCOMP_PATH);
    program.call('seccomp', [SECCOMP_SET_MODE_FILTER, filter.flags, sockProgram(filter)], { object: 'the filter' });
  }
}

function appendWithListener(program: Program, load: FilterLoad): void {
  const { filter } = load;
  const listenerWord = program.output(8);
  const goWord = program.output(8);
  const inThread = program.place();
  const inProcess = program.place();
  const flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  // The listener gets the lowest free number, which then is `temporary` at most.
  closeTemporaries(program, load.fds);
  // The agent has no stack, so none is needed.
  program.call('clone', [flags, 0, 0, 0, 0]);
  program.jumpTo(inThread, JUMP_IF_ZERO);
  program.jump(inProcess);
  program.here(inThread);
  appendThread(program, load, listenerWord, goWord);
  program.here(inProcess);
  program.step(STEP, SECCOMP_PATH);
  const listener = program.call('seccomp', [SECCOMP_SET_MODE_FILTER, filter.flags | FLAG_NEW_LISTENER, sockProgram(filter)], {
    object: 'the filter',
  });
  program.store(listenerWord, listener);
  const wait = program.place();
  program.here(wait);
  program.look(goWord);
  program.jumpTo(wait, JUMP_IF_ZERO);
}

/** An error here is reported through the channel by this thread, while the process itself waits to be killed. */
function appendThread(program: Program, { channelFd, fds, descriptorLimit }: FilterLoad, listenerWord: Output, goWord: Output): void {
  program.step('hand the seccomp listener over', `${SECCOMP_PATH}.listenerPath`);
  const again = program.place();
  program.here(again);
  program.call(
    'nanosleep',
    [
      struct([
        [8, 0],
        [8, LOOK_AGAIN_NS],
      ]),
      null,
    ],
    { ignore: 'all' },
  );
  const listener = program.look(listenerWord);
  program.jumpTo(again, JUMP_IF_ZERO);
  appendHandOver(program, listener, channelFd, fds);
  const gone = program.place();
  const answered = program.place();
  program.call('read', [channelFd, program.output(8), 1], { flags: RESTART, object: 'the init channel' });
  program.jumpTo(gone, JUMP_IF_ZERO);
  program.jump(answered);
  program.here(gone);
  program.call('exit_group', [1]);
  program.here(answered);
  if (descriptorLimit !== undefined) compileRlimit(program, descriptorLimit);
  program.store(goWord, 1);
  program.call('exit', [0]);
}

/**
 * After the execve: where the filter forbids the agent to answer, a failure can only be told by the exit status, which is the last byte of the negated
 * errno. Where it forbids even that, the process is killed.
 */
export function appendFailure(program: Program, { filter, arch }: FilterLoad, execve: ReturnType<Program['call']>): void {
  if (allows(filter, arch, syscallNumber(arch, 'sendto'))) return;
  const failed = program.place();
  program.jumpTo(failed, JUMP_IF_ERROR);
  program.here(failed);
  program.call('exit_group', [execve]);
}
