/**
 * Into a running container: an agent in its namespaces and its cgroup, which a process is then made of.
 *
 *     runtime ── posix_spawn ──▶ first agent: not traceable, setns(pidfd of init, all namespaces but the cgroup's)
 *        │                             └── clone(CLONE_PARENT, into the cgroup) ──▶ process: cgroup namespace, root
 *        └───────────────── the second channel ─────────────────────────────────────▶ process
 */
import { RuntimeError } from '../../base/errors.ts';
import { cgroupOfProcess, findHierarchy } from '../../cgroups/hierarchy.ts';
import { joinCgroup } from '../../cgroups/processes.ts';
import { type AgentFds, agentFds, reserveFds } from '../../init/agent-fds.ts';
import type { InitProcess } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import { EACCES, EBUSY, EINVAL, EPERM, errnoText, isErrno } from '../../linux/errno.ts';
import { close, open, openDirectory, readLink } from '../../linux/files.ts';
import { CLONE_NEWCGROUP, NAMESPACE_TYPES, NAMESPACES, type NamespaceType } from '../../linux/namespaces.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../linux/open-flags.ts';
import { PR_SET_DUMPABLE } from '../../linux/prctl.ts';
import { namespaceFlags } from '../../plan/namespaces.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';
import { type CgroupWay, type Cloned, callerDescriptors, cloneInto, joinNamespaces, launchThrough } from './clone.ts';

export interface EnterOptions {
  readonly record: ContainerRecord;
  /** Of the container's init. */
  readonly pidfd: number;
  /** The cgroup to be in; undefined for the runtime's own. */
  readonly cgroupFd: number | undefined;
  /** Connected socket that takes the terminal. */
  readonly consoleFd: number | undefined;
  /** Called with the pid of the first agent, before anything of the container is entered: what it sets is inherited. */
  readonly prepare?: (pid: number) => void;
}

export interface Entered {
  /** A child of this process. The caller releases it, and kills and reaps it if it does not go on. */
  readonly process: InitProcess;
  readonly fds: AgentFds;
  /** Namespaces of the container that are not the runtime's. */
  readonly namespaces: readonly NamespaceType[];
}

/** The namespaces in which a process is and this one is not. @throws RuntimeError 'not-permitted' */
function separateNamespaces(sys: Sys, pid: number): NamespaceType[] {
  try {
    return NAMESPACE_TYPES.filter((type) => {
      const { file } = NAMESPACES[type];
      return readLink(sys, `/proc/${pid}/ns/${file}`) !== readLink(sys, `/proc/self/ns/${file}`);
    });
  } catch (error) {
    if (!isErrno(error, EACCES, EPERM)) throw error;
    // Until init executes the container's program nobody may look into it but root of the host.
    throw new RuntimeError('not-permitted', `cannot enter the namespaces of process ${pid}: ${errnoText(error.errno)}`, {
      cause: error,
      hint: 'without privilege, exec works once the container is started, and for the user who created it',
    });
  }
}

/** Descriptors of the first agent beside the caller's: what it needs to get in. */
interface Keys {
  readonly pidfd: number;
  readonly cgroupNamespace: number | undefined;
  /** The container's root, where it has no mount namespace of its own. */
  readonly root: number | undefined;
}

function openKeys(sys: Sys, { record, pidfd }: EnterOptions, namespaces: readonly NamespaceType[]): Keys {
  return {
    pidfd,
    cgroupNamespace: namespaces.includes('cgroup') ? open(sys, `/proc/${record.pid}/ns/cgroup`) : undefined,
    root: namespaces.includes('mount') ? undefined : openDirectory(sys, record.rootfs),
  };
}

/** On failure nothing is left. */
export function enterContainer(context: Context, options: EnterOptions): Entered {
  const { sys } = context;
  const namespaces = separateNamespaces(sys, options.record.pid);
  const keys = openKeys(sys, options, namespaces);
  const fds = agentFds(context.caller.preservedFds.length, 2);
  const list = callerDescriptors(context);
  list.push([keys.pidfd, fds.prepared]);
  if (keys.cgroupNamespace !== undefined) list.push([keys.cgroupNamespace, fds.prepared + 1]);
  if (keys.root !== undefined) list.push([keys.root, fds.root]);
  if (options.cgroupFd !== undefined) list.push([options.cgroupFd, fds.cgroup]);
  if (options.consoleFd !== undefined) list.push([options.consoleFd, fds.console]);
  const given = [...list.map(([, fd]) => fd), fds.nextChannel];
  try {
    const process = launchThrough(context, fds, list, (first, way) => enter(sys, first, { ...options, namespaces, fds, given, way }));
    return { process, fds, namespaces };
  } finally {
    for (const fd of [keys.cgroupNamespace, keys.root]) if (fd !== undefined) close(sys, fd);
  }
}

interface EnterWork extends EnterOptions {
  readonly namespaces: readonly NamespaceType[];
  readonly fds: AgentFds;
  readonly given: readonly number[];
  readonly way: CgroupWay;
}

function enter(sys: Sys, first: InitProcess, work: EnterWork): Cloned {
  const { fds, cgroupFd, namespaces, record, way } = work;
  const options = { fds, cgroupFd, way, inClone: (program: Program) => settle(sys, program, work) };
  work.prepare?.(first.pid);
  const program = new Program({ step: 'begin' });
  reserveFds(program, fds, work.given);
  program.step('enter the container');
  // Before anything of the container can see it (CVE-2016-9962).
  program.call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], { object: 'PR_SET_DUMPABLE' });
  const types = namespaces.filter((type) => type !== 'cgroup');
  // A cgroup outside of one's cgroup namespace cannot be entered (cgroups(7), "nsdelegate"): that namespace comes last, and by the clone.
  if (types.length > 0) program.call('setns', [fds.prepared, namespaceFlags(types)], { object: types.join(', ') });
  const closeKey = (target: Program): void => {
    target.call('dup3', [0, fds.prepared, O_CLOEXEC]);
  };
  closeKey(program);
  try {
    return cloneInto(sys, first, program, options);
  } catch (error) {
    if (isErrno(error, EPERM, EINVAL) && error.syscall === 'setns') {
      return cloneInto(sys, first, oneByOne(record.pid, types, closeKey), options);
    }
    if (!isErrno(error, EBUSY)) throw error;
    joinCgroupOfInit(sys, first, work);
    // By the other way the program has not even begun.
    const rest = way === 'write' ? program : new Program({ step: 'enter the container' });
    return cloneInto(sys, first, rest, { ...options, cgroupFd: undefined });
  }
}

/** Where one call for all namespaces is refused: some belong to the container's user namespace, some to ours. */
function oneByOne(pid: number, types: readonly NamespaceType[], closeKey: (program: Program) => void): Program {
  const program = new Program({ step: 'enter the container' });
  joinNamespaces(
    program,
    types.map((type) => ({ type, path: `/proc/${pid}/ns/${NAMESPACES[type].file}`, configPath: 'linux.namespaces' })),
  );
  closeKey(program);
  return program;
}

/**
 * A container that passes controllers on to cgroups of its own (systemd in it) leaves its own cgroup without processes, and the kernel lets none
 * in. Then the place is where init has gone.
 */
function joinCgroupOfInit(sys: Sys, first: InitProcess, { record }: EnterWork): void {
  const path = cgroupOfProcess(sys, record.pid);
  const hierarchy = findHierarchy(sys);
  const directory = `${hierarchy?.mountPoint}${path}`;
  const own = record.cgroup?.directory ?? '';
  if (path === undefined || hierarchy === undefined || !directory.startsWith(`${own}/`))
    throw new Error('init is in no cgroup of its container');
  const fd = openDirectory(sys, directory);
  try {
    joinCgroup(sys, fd, first.pid);
  } finally {
    close(sys, fd);
  }
}

/** In the process, as soon as it is there: the rest of the way. */
function settle(sys: Sys, program: Program, { namespaces, fds }: EnterWork): void {
  program.step('enter the container');
  if (namespaces.includes('cgroup')) {
    program.call('setns', [fds.prepared + 1, CLONE_NEWCGROUP], { object: 'cgroup' });
    program.call('dup3', [0, fds.prepared + 1, O_CLOEXEC]);
  }
  if (!namespaces.includes('mount')) {
    program.call('fchdir', [fds.root], { object: "the container's root" });
    program.call('chroot', ['.']);
  }
  const root = program.call('openat', [AT_FDCWD, '/', O_PATH | O_DIRECTORY(sys.arch) | O_CLOEXEC, 0]);
  program.call('dup3', [root, fds.root, O_CLOEXEC]);
  program.call('close', [root]);
}
