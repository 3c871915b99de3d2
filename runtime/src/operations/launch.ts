/**
 * From nothing to an init process inside the container's namespaces. Two agents take part:
 *
 *     runtime ── posix_spawn ──▶ first agent: joins and makes the namespaces
 *        │  ◀── asks for the id maps ──┤   (the runtime writes them: the agent has no right to)
 *        │                             └── clone(CLONE_PARENT) ──▶ init, pid 1 of the container, a child of the runtime
 *        └───────────────── the second channel ──────────────────────▶ init
 *
 * The first agent ends as soon as init is there: nothing of the runtime stays in the container but init.
 */
import { RuntimeError } from '../base/errors.ts';
import { joinCgroup } from '../cgroups/processes.ts';
import { JUMP_IF_OK, JUMP_IF_ZERO } from '../init/agent/protocol.ts';
import { type AgentFds, agentFds, reserveFds } from '../init/agent-fds.ts';
import { startAgent } from '../init/agent-process.ts';
import { InitProcess } from '../init/init-process.ts';
import { Program, type ResultOf, struct } from '../init/program.ts';
import { EACCES, EINVAL, ENOSYS, EPERM, isErrno } from '../linux/errno.ts';
import { close, writeKernelFile } from '../linux/files.ts';
import { CLONE_INTO_CGROUP, CLONE_PARENT, NAMESPACES } from '../linux/namespaces.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../linux/open-flags.ts';
import { waitForExit } from '../linux/processes.ts';
import { socketPair } from '../linux/sockets.ts';
import { type NamespaceJoin, type NamespacePlan, namespaceFlags } from '../plan/namespaces.ts';
import type { Sys } from '../sys/sys.ts';
import type { Context } from './context.ts';
import { writeIdMaps } from './id-maps.ts';

export interface LaunchOptions {
  readonly namespaces: NamespacePlan;
  /** Directory of the cgroup to start in. */
  readonly cgroupFd: number | undefined;
  /** Listening socket of the start gate. */
  readonly gateFd: number | undefined;
  /** Connected socket that takes the terminal. */
  readonly consoleFd: number | undefined;
  /** Mount sources opened by the runtime. */
  readonly preparedFds: readonly number[];
}

export interface Launched {
  readonly init: InitProcess;
  readonly fds: AgentFds;
}

const CLONE_ARGS_BYTES = 88;
const SIGCHLD = 17;

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
function joinNamespaces(program: Program, joins: readonly NamespaceJoin[]): void {
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

/** Ends with the clone of init; the first agent goes on to wait for its channel's end. */
function appendClone(program: Program, fds: AgentFds, cgroupFd: number | undefined): ResultOf {
  program.step('clone the init process');
  const inInit = program.place();
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
  program.jumpTo(inInit, JUMP_IF_ZERO);
  program.jump(end);
  program.here(inInit);
  // Closes the first agent's channel and keeps its number taken.
  program.call('dup3', [0, fds.channel, O_CLOEXEC]);
  program.setChannel(fds.nextChannel);
  if (cgroupFd !== undefined) program.call('dup3', [0, fds.cgroup, O_CLOEXEC]);
  program.here(end);
  return pid;
}

function explainJoin(error: unknown, joins: readonly NamespaceJoin[]): unknown {
  if (!isErrno(error, EINVAL) || error.syscall !== 'setns') return error;
  const join = joins.find((candidate) => candidate.configPath === error.configPath);
  if (join === undefined) return error;
  return new RuntimeError('wrong-namespace', `${join.configPath}: ${join.path} is not a ${join.type} namespace`, {
    configPath: join.configPath,
    cause: error,
  });
}

function writeClockOffsets(sys: Sys, pid: number, namespaces: NamespacePlan): void {
  if (namespaces.clockOffsets.length === 0) return;
  const lines = namespaces.clockOffsets.map(({ clock, seconds, nanoseconds }) => `${clock} ${seconds} ${nanoseconds}\n`);
  writeKernelFile(sys, `/proc/${pid}/timens_offsets`, lines.join(''));
}

/** A program in which init was cloned, and init's pid as the runtime sees it. */
interface Cloned {
  readonly program: Program;
  readonly pid: number;
}

function cloneInit(first: InitProcess, program: Program, fds: AgentFds, cgroupFd: number | undefined): Cloned {
  const pid = appendClone(program, fds, cgroupFd);
  return { program, pid: first.run(program).value(pid) };
}

/** Joins and creates the namespaces, and clones init in them. */
function makeNamespaces(context: Context, first: InitProcess, fds: AgentFds, options: LaunchOptions): Cloned {
  const { namespaces, cgroupFd } = options;
  const { sys } = context;
  let program = new Program({ step: 'begin' });
  reserveFds(
    program,
    fds,
    descriptors(context, fds, 0, options).map(([, fd]) => fd),
  );
  joinNamespaces(program, namespaces.join);
  if (namespaces.create.includes('user')) {
    program.step('create the user namespace', 'linux.namespaces');
    program.call('unshare', [NAMESPACES.user.flag]);
    first.run(program);
    writeIdMaps(sys, first.pid, namespaces.uidMappings, namespaces.gidMappings);
    program = new Program({ step: 'create the namespaces' });
  }
  const others = namespaces.create.filter((type) => type !== 'user' && !namespaces.late.includes(type));
  program.step(`create the namespaces ${others.join(', ')}`, 'linux.namespaces');
  if (others.length > 0) program.call('unshare', [namespaceFlags(others)], { object: others.join(', ') });
  if (namespaces.clockOffsets.length > 0) {
    first.run(program);
    writeClockOffsets(sys, first.pid, namespaces);
    program = new Program({ step: 'clone the init process' });
  }
  try {
    return cloneInit(first, program, fds, cgroupFd);
  } catch (error) {
    // A seccomp filter around the runtime (in docker) hides clone3, and a cgroup that belongs to somebody else may be entered only by a write.
    if (cgroupFd === undefined || !isErrno(error, ENOSYS, EACCES, EPERM) || error.syscall !== 'clone3') throw error;
    joinCgroup(sys, cgroupFd, first.pid);
    return cloneInit(first, new Program({ step: 'clone the init process' }), fds, undefined);
  }
}

/** Descriptors of the first agent, which init inherits: [ours, its]. */
function descriptors(context: Context, fds: AgentFds, nextChannel: number, options: LaunchOptions): (readonly [number, number])[] {
  const { stdio, preservedFds } = context.caller;
  const list: (readonly [number, number])[] = [...stdio, ...preservedFds].map((fd, index) => [fd, index]);
  list.push([nextChannel, fds.nextChannel]);
  if (options.gateFd !== undefined) list.push([options.gateFd, fds.gate]);
  if (options.consoleFd !== undefined) list.push([options.consoleFd, fds.console]);
  if (options.cgroupFd !== undefined) list.push([options.cgroupFd, fds.cgroup]);
  for (const [index, fd] of options.preparedFds.entries()) list.push([fd, fds.prepared + index]);
  return list;
}

/**
 * Starts the container's init process, which is then a child of the caller and waits for programs.
 * On failure nothing is left. The caller releases `init`, and kills and reaps it if it does not go on.
 */
export function launchInit(context: Context, options: LaunchOptions): Launched {
  const { sys } = context;
  const fds = agentFds(context.caller.preservedFds.length, options.preparedFds.length);
  const [channel, theirs] = socketPair(sys);
  let first: InitProcess;
  try {
    const agent = startAgent(sys, {
      image: context.agentImage(),
      fds: descriptors(context, fds, theirs, options),
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
    const cloned = makeNamespaces(context, first, fds, options);
    const init = new InitProcess(sys, cloned.pid, channel);
    // Init answers the program it was cloned in as its first sign of life.
    init.receive(cloned.program);
    return { init, fds };
  } catch (error) {
    close(sys, channel);
    throw explainJoin(error, options.namespaces.join);
  } finally {
    first.release();
    waitForExit(sys, first.pid);
  }
}
