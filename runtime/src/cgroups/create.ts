/** Making a container's cgroup with the cgroupfs driver. */
import { RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { EACCES, EEXIST, ENOENT, EPERM, EROFS, errnoText, isErrno, syscallError } from '../linux/errno.ts';
import { close, openDirectory, readFile, writeKernelFile } from '../linux/files.ts';
import { AT_FDCWD, AT_REMOVEDIR } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';
import { type ControllerNeed, enableControllers } from './controllers.ts';
import { readEvents } from './events.ts';
import { type Hierarchy, isCgroup2 } from './hierarchy.ts';
import { processes } from './processes.ts';

/** An open cgroup. */
export interface Cgroup {
  readonly hierarchy: Hierarchy;
  /** Relative to the mount point, no leading slash. */
  readonly path: string;
  /** Absolute path. */
  readonly directory: string;
  /** O_PATH descriptor of the directory, on cgroup v2 for certain: fit for CLONE_INTO_CGROUP and bpf(2). The owner closes it. */
  readonly fd: number;
  /** Absolute paths of the directories that were made for it, ancestors first. */
  readonly created: readonly string[];
}

export interface CreateOptions {
  /** Controllers that the limits need, each with the place that asks for it. */
  readonly needs?: readonly ControllerNeed[];
  /** Controllers enabled for accounting where possible. Default: all that the root has, without which `events --stats` has nothing to tell; on a hybrid host none. */
  readonly wanted?: readonly string[] | 'all';
  /** The container may do without a cgroup when the caller is not permitted to make one: rootless, no cgroupsPath, no limits. */
  readonly optional?: boolean;
}

/**
 * Makes the cgroup and its missing ancestors, enables controllers on the ancestors, and opens it. A failure leaves no directory behind;
 * after that `undoCreate` takes back what was made.
 *
 * @returns undefined when it is `optional`, needs no controller, and may not be made
 * @throws RuntimeError `cgroup-not-empty`, `cgroup-frozen`: somebody else uses the cgroup; `cgroup-permission`; `cgroup-threaded`; and those of
 * `enableControllers`
 */
export function createCgroup(sys: Sys, hierarchy: Hierarchy, path: string, options: CreateOptions = {}): Cgroup | undefined {
  const needs = options.needs ?? [];
  const directory = `${hierarchy.mountPoint}/${path}`;
  const created: string[] = [];
  try {
    makeDirectories(sys, directory, created);
    enableControllers(sys, hierarchy, path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '', {
      needs,
      // On a hybrid host the tools of the other hierarchy, crun among them, refuse a v2 root that passes controllers on.
      wanted: options.wanted ?? (hierarchy.unified ? 'all' : []),
    });
    const fd = openCgroupDirectory(sys, directory);
    try {
      refuseUsed(sys, directory, fd, created.includes(directory));
      acceptType(sys, directory, fd, needs);
    } catch (error) {
      close(sys, fd);
      throw error;
    }
    return { hierarchy, path, directory, fd, created };
  } catch (error) {
    removeCreated(sys, created);
    if (!isErrno(error, EACCES, EPERM, EROFS)) throw error;
    if (options.optional === true && needs.length === 0) return undefined;
    throw notPermitted(directory, error.errno, needs);
  }
}

/** Opens an existing cgroup; the owner closes `fd`. Undefined when there is none. */
export function openCgroup(sys: Sys, hierarchy: Hierarchy, path: string): Cgroup | undefined {
  const directory = `${hierarchy.mountPoint}/${path}`;
  try {
    return { hierarchy, path, directory, fd: openCgroupDirectory(sys, directory), created: [] };
  } catch (error) {
    if (isErrno(error, ENOENT)) return undefined;
    throw error;
  }
}

/** Takes back `createCgroup`: closes the descriptor and removes the directories it made, as far as nobody else uses them by now. */
export function undoCreate(sys: Sys, cgroup: Cgroup): void {
  close(sys, cgroup.fd);
  removeCreated(sys, cgroup.created);
}

function removeCreated(sys: Sys, created: readonly string[]): void {
  for (const directory of created.toReversed()) tryCall(sys, 'unlinkat', AT_FDCWD, directory, AT_REMOVEDIR);
}

const DIRECTORY_MODE = 0o755;
/** How often an ancestor that another container's end removes under our hands is made again. */
const MAKE_ATTEMPTS = 10;

function makeDirectories(sys: Sys, directory: string, created: string[]): void {
  for (let attempt = 1; ; attempt++) {
    const result = tryCall(sys, 'mkdirat', AT_FDCWD, directory, DIRECTORY_MODE);
    if (result === 0) created.push(directory);
    if (result === 0 || result === -EEXIST) return;
    if (result !== -ENOENT || attempt === MAKE_ATTEMPTS) throw syscallError({ syscall: 'mkdirat', errno: -result, object: directory });
    makeDirectories(sys, directory.slice(0, directory.lastIndexOf('/')), created);
  }
}

/** Opens a directory that must be on cgroup v2, so that nothing is written, and no process put, elsewhere. */
function openCgroupDirectory(sys: Sys, directory: string): number {
  const fd = openDirectory(sys, directory);
  if (isCgroup2(sys, fd)) return fd;
  close(sys, fd);
  throw new RuntimeError('cgroup-no-v2', `${directory} is not on a cgroup v2 file system`);
}

/** The texts are runc's: engines and their tests look for them. */
function refuseUsed(sys: Sys, directory: string, fd: number, isNew: boolean): void {
  const events = readEvents(sys, directory, fd);
  if (!isNew && events.populated) {
    const count = processes(sys, directory, { recursive: true }).length;
    throw new RuntimeError('cgroup-not-empty', `container's cgroup is not empty: ${count} process(es) found in ${directory}`, {
      configPath: 'linux.cgroupsPath',
      hint: 'end these processes, or choose another linux.cgroupsPath',
    });
  }
  if (events.frozen || readFile(sys, 'cgroup.freeze', fd).trim() === '1') {
    // A process put into it would stop before its first instruction, and the runtime would wait for it for ever.
    throw new RuntimeError('cgroup-frozen', `container's cgroup unexpectedly frozen: ${directory}`, {
      configPath: 'linux.cgroupsPath',
      hint: `thaw it and its ancestors: echo 0 > ${directory}/cgroup.freeze`,
    });
  }
}

const THREADED_CONTROLLERS: readonly string[] = ['cpu', 'cpuset', 'perf_event', 'pids'];

/** A cgroup made below a threaded one can hold processes only when it is threaded itself, and then has no domain controllers. */
function acceptType(sys: Sys, directory: string, fd: number, needs: readonly ControllerNeed[]): void {
  const type = readFile(sys, 'cgroup.type', fd).trim();
  if (type === 'domain') return;
  const domainNeed = needs.find((need) => !THREADED_CONTROLLERS.includes(need.controller));
  if (domainNeed !== undefined) {
    throw new RuntimeError(
      'cgroup-threaded',
      `${domainNeed.configPath} cannot be applied: cgroup ${directory} is "${type}", where controller "${domainNeed.controller}" does not work`,
      { configPath: domainNeed.configPath, hint: 'choose a linux.cgroupsPath outside of the threaded subtree' },
    );
  }
  if (type === 'domain invalid') writeKernelFile(sys, 'cgroup.type', 'threaded', fd);
}

function notPermitted(directory: string, errno: number, needs: readonly ControllerNeed[]): RuntimeError {
  const configPath = needs[0]?.configPath ?? 'linux.cgroupsPath';
  const hint =
    'have a cgroup delegated to this user (loginctl enable-linger, or systemd-run --user --scope -p Delegate=yes), use --systemd-cgroup, or take the limits and linux.cgroupsPath out of the configuration';
  return new RuntimeError(
    'cgroup-permission',
    `${configPath} cannot be applied: cannot create cgroup ${directory}: ${errnoText(errno)}; ${hint}`,
    { configPath, hint },
  );
}
