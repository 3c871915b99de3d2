/**
 * Two agents on the way to a process in a container's namespaces: the first enters them, then clones the second with CLONE_PARENT, which makes it a
 * child of the runtime, and ends. Entering a pid namespace takes effect for children only, and what the first has seen of the host is gone with it.
 */
import { joinCgroup } from '../../cgroups/processes.ts';
import { JUMP_IF_OK, JUMP_IF_ZERO } from '../../init/agent/protocol.ts';
import type { AgentFds } from '../../init/agent-fds.ts';
import { startAgent } from '../../init/agent-process.ts';
import { AgentGone } from '../../init/channel.ts';
import { InitProcess } from '../../init/init-process.ts';
import { type Program, type ResultOf, struct } from '../../init/program.ts';
import { EACCES, ENOENT, ENOSYS, EPERM, isErrno } from '../../linux/errno.ts';
import { close } from '../../linux/files.ts';
import { CLONE_INTO_CGROUP, CLONE_PARENT, NAMESPACES } from '../../linux/namespaces.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../../linux/open-flags.ts';
import { killAndReap, SIGCHLD, waitForExit } from '../../linux/processes.ts';
import { socketPair } from '../../linux/sockets.ts';
import type { NamespaceJoin } from '../../plan/namespaces.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';

const CLONE_ARGS_BYTES = 88;

/** A program in which the process was cloned, and its pid as the runtime sees it. */
export interface Cloned {
  readonly program: Program;
  readonly pid: number;
}

/** How the process gets into its cgroup: it is born there, or its parent was put there by a write to cgroup.procs. */
export type CgroupWay = 'clone' | 'write';

export interface CloneOptions {
  readonly fds: AgentFds;
  /** Directory of the cgroup to be born in, the runtime's own descriptor; the first agent has it as `fds.cgroup`. */
  readonly cgroupFd: number | undefined;
  readonly way: CgroupWay;
  /** As in the options of `InitProcess.run`. */
  readonly meanwhile?: (() => void) | undefined;
  /** What the clone does first. */
  readonly inClone?: (program: Program) => void;
}

function clone(first: InitProcess, program: Program, options: CloneOptions): Cloned {
  const pid = appendClone(program, options);
  return { program, pid: first.run(program, { meanwhile: options.meanwhile }).value(pid) };
}

/** Has the first agent run the program and clone itself at its end. */
export function cloneInto(sys: Sys, first: InitProcess, program: Program, options: CloneOptions): Cloned {
  const { cgroupFd, way } = options;
  if (cgroupFd !== undefined && way === 'write') {
    joinCgroup(sys, cgroupFd, first.pid);
    return clone(first, program, { ...options, cgroupFd: undefined });
  }
  return clone(first, program, options);
}

/** Ends with the clone; the first agent goes on to wait for its channel's end. */
function appendClone(program: Program, { fds, cgroupFd, inClone }: CloneOptions): ResultOf {
  program.step('clone the process');
  const inTheClone = program.place();
  const end = program.place();
  let pid: ResultOf;
  if (cgroupFd === undefined) pid = program.call('clone', [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0]);
  else {
    const args = struct(
      Array.from({ length: CLONE_ARGS_BYTES / 8 }, (_, index) => {
        if (index === 0) return [8, CLONE_PARENT + CLONE_INTO_CGROUP] as const;
        return [8, index === CLONE_ARGS_BYTES / 8 - 1 ? fds.cgroup : 0] as const;
      }),
      `{flags=CLONE_PARENT|CLONE_INTO_CGROUP, cgroup=${fds.cgroup}}`,
    );
    pid = program.call('clone3', [args, CLONE_ARGS_BYTES]);
  }
  program.jumpTo(inTheClone, JUMP_IF_ZERO);
  program.jump(end);
  program.here(inTheClone);
  // Closes the first agent's channel and keeps its number taken.
  program.call('dup3', [0, fds.channel, O_CLOEXEC]);
  program.setChannel(fds.nextChannel);
  program.call('dup3', [0, fds.cgroup, O_CLOEXEC]);
  inClone?.(program);
  program.here(end);
  return pid;
}

function openNamespaces(program: Program, joins: readonly NamespaceJoin[]): Map<NamespaceJoin, ResultOf> {
  const opened = new Map<NamespaceJoin, ResultOf>();
  for (const join of joins) {
    program.step(`join the ${join.type} namespace`, join.configPath);
    opened.set(join, program.call('openat', [AT_FDCWD, join.path, O_RDONLY | O_CLOEXEC, 0]));
  }
  return opened;
}

/**
 * All files are opened before anything is joined, since joining a mount namespace changes what paths mean. A namespace can be owned by the
 * runtime's user namespace (then it must be joined before the user namespace) or by the one that is joined (then after): both are tried.
 */
export function joinNamespaces(program: Program, joins: readonly NamespaceJoin[]): void {
  const opened = openNamespaces(program, joins);
  const userFirst = joins.filter((join) => join.type === 'user');
  // The mount namespace last: root and working directory change with it.
  const others = joins
    .filter((join) => join.type !== 'user' && join.type !== 'mount')
    .concat(joins.filter((join) => join.type === 'mount'));
  const enter = (join: NamespaceJoin, ignore: boolean): ResultOf => {
    program.step(`join the ${join.type} namespace`, join.configPath);
    const fd = opened.get(join) ?? null;
    const options = { object: join.path, ...(ignore ? { ignore: EPERM } : {}) };
    return program.call('setns', [fd, NAMESPACES[join.type].flag], options);
  };
  if (userFirst.length === 0) {
    for (const join of others) enter(join, false);
    return;
  }
  const first = others.map((join) => enter(join, true));
  for (const join of userFirst) enter(join, false);
  others.forEach((join, index) => {
    const joined = program.place();
    program.test(first[index] ?? { kind: 'result', op: 0 });
    program.jumpTo(joined, JUMP_IF_OK);
    enter(join, false);
    program.here(joined);
  });
}

/** Standard streams and preserved descriptors of the caller: [ours, the agent's]. */
export function callerDescriptors({ caller }: Context): (readonly [number, number])[] {
  return [...caller.stdio, ...caller.preservedFds].map((fd, index) => [fd, index]);
}

/** Makes the first agent enter the namespaces and clone the process. */
export type Enter = (first: InitProcess, way: CgroupWay) => Cloned;

/**
 * Starts a first agent with these descriptors, and takes over the process that `enter` makes it clone. That process is a child of the caller and
 * waits for programs; the first agent is gone. On failure nothing is left.
 */
export function launchThrough(
  context: Context,
  fds: AgentFds,
  descriptors: readonly (readonly [number, number])[],
  enter: Enter,
): InitProcess {
  try {
    return launchOnce(context, fds, descriptors, (first) => enter(first, 'clone'));
  } catch (error) {
    // Linux 6.15 and others take the kill counter of a wrong cgroup (cgroup_css_set_fork): what is cloned into a cgroup that was killed as a whole
    // before is killed at birth.
    const intoCgroup = descriptors.some(([, number]) => number === fds.cgroup);
    if (!intoCgroup || !(error instanceof AgentGone || isRefusedBirth(error))) throw error;
    // By a new agent: the clone that failed had taken pid 1 of a new pid namespace, which is closed with that.
    return launchOnce(context, fds, descriptors, (first) => enter(first, 'write'));
  }
}

/**
 * A seccomp filter around the runtime (in docker) hides clone3, and a cgroup that belongs to somebody else, or lies outside of a joined cgroup
 * namespace, may be entered only by a write.
 */
function isRefusedBirth(error: unknown): boolean {
  return isErrno(error, ENOSYS, EACCES, EPERM, ENOENT) && error.syscall === 'clone3';
}

function launchOnce(
  context: Context,
  fds: AgentFds,
  descriptors: readonly (readonly [number, number])[],
  enter: (first: InitProcess) => Cloned,
): InitProcess {
  const { sys } = context;
  const [channel, theirs] = socketPair(sys);
  let first: InitProcess;
  try {
    const agent = startAgent(sys, {
      image: context.agentImage(),
      fds: [...descriptors, [theirs, fds.nextChannel]],
      channelFd: fds.channel,
    });
    first = new InitProcess(sys, agent.pid, agent.channel);
  } catch (error) {
    close(sys, channel);
    throw error;
  } finally {
    close(sys, theirs);
  }
  try {
    const cloned = enter(first);
    // The first agent has the other end of the process's channel, too: while it does, the death of the process would go unnoticed.
    first.release();
    const init = takeOver(sys, cloned, channel);
    // It takes a while to end: nobody waits for that now.
    init.reapOnRelease(first.pid);
    return init;
  } catch (error) {
    close(sys, channel);
    first.release();
    waitForExit(sys, first.pid);
    throw error;
  }
}

function takeOver(sys: Sys, cloned: Cloned, channel: number): InitProcess {
  const process = new InitProcess(sys, cloned.pid, channel);
  try {
    // It answers the program it was cloned in as its first sign of life.
    process.receive(cloned.program);
    return process;
  } catch (error) {
    killAndReap(sys, cloned.pid);
    throw error;
  }
}
