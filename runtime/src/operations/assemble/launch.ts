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
import { RuntimeError } from '../../base/errors.ts';
import { type AgentFds, reserveFds } from '../../init/agent-fds.ts';
import type { InitProcess } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import { EINVAL, isErrno } from '../../linux/errno.ts';
import { writeKernelFile } from '../../linux/files.ts';
import { NAMESPACES } from '../../linux/namespaces.ts';
import { type NamespaceJoin, type NamespacePlan, namespaceFlags } from '../../plan/namespaces.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';
import { type CgroupWay, type Cloned, callerDescriptors, cloneInto, joinNamespaces, launchThrough } from './clone.ts';
import { writeIdMaps } from './id-maps.ts';

export interface LaunchOptions {
  /** The descriptors' numbers in the agents. */
  readonly fds: AgentFds;
  readonly namespaces: NamespacePlan;
  /** Directory of the cgroup to start in. */
  readonly cgroupFd: number | undefined;
  /** Called with the pid of the first agent before it does anything: what it is put into, init is born in. */
  readonly prepare?: ((pid: number) => void) | undefined;
  /** Listening socket of the start gate. */
  readonly gateFd: number | undefined;
  /** Connected socket that takes the terminal. */
  readonly consoleFd: number | undefined;
  /** Mount sources opened by the runtime. */
  readonly preparedFds: readonly number[];
  /** Work of the runtime's own that is done while the agents are at theirs, more than once if need be. It must not throw. */
  readonly meanwhile?: (() => void) | undefined;
}

export interface Launched {
  readonly init: InitProcess;
  readonly fds: AgentFds;
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

/** Joins and creates the namespaces, and clones init in them. */
function makeNamespaces(context: Context, first: InitProcess, fds: AgentFds, options: LaunchOptions & { readonly way: CgroupWay }): Cloned {
  const { namespaces, cgroupFd, way } = options;
  const { sys } = context;
  options.prepare?.(first.pid);
  let program = new Program({ step: 'begin' });
  const given = descriptors(context, fds, options).map(([, fd]) => fd);
  reserveFds(program, fds, [...given, fds.nextChannel]);
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
  return cloneInto(sys, first, program, { fds, cgroupFd, way, meanwhile: options.meanwhile });
}

/** Descriptors of the first agent, which init inherits: [ours, its]. */
function descriptors(context: Context, fds: AgentFds, options: LaunchOptions): (readonly [number, number])[] {
  const list = callerDescriptors(context);
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
  const { fds } = options;
  const list = descriptors(context, fds, options);
  try {
    return { init: launchThrough(context, fds, list, (first, way) => makeNamespaces(context, first, fds, { ...options, way })), fds };
  } catch (error) {
    throw explainJoin(error, options.namespaces.join);
  }
}
