/** Passing controllers down to a cgroup: every ancestor must name them in its cgroup.subtree_control (cgroup-v2.rst, "Controlling Controllers"). */
import { RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { EACCES, EBUSY, EINVAL, ENOENT, EOPNOTSUPP, EPERM, EROFS, errnoText } from '../linux/errno.ts';
import { close, readFile, tryOpen } from '../linux/files.ts';
import { O_WRONLY } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';
import { availableControllers, type Hierarchy, words } from './hierarchy.ts';

/** A controller that a limit cannot do without. */
export interface ControllerNeed {
  readonly controller: string;
  /** The place that asks for it: `linux.resources.memory.limit`. */
  readonly configPath: string;
}

export interface ControllerRequest {
  readonly needs: readonly ControllerNeed[];
  /** Controllers wanted for accounting only; enabled where that is possible. `all` are those that the hierarchy's root has. */
  readonly wanted: readonly string[] | 'all';
}

/**
 * Enables controllers for the children of the cgroup `parentPath`, on it and on all its ancestors. What is enabled already costs one read.
 *
 * @throws RuntimeError `cgroup-controller-missing` when this host's hierarchy does not have a needed controller, `cgroup-controller-refused`
 * when an ancestor does not pass it on
 */
export function enableControllers(sys: Sys, hierarchy: Hierarchy, parentPath: string, request: ControllerRequest): void {
  if (request.needs.length === 0 && request.wanted.length === 0) return;
  const available = availableControllers(sys, hierarchy.mountPoint);
  for (const need of request.needs) {
    if (!available.includes(need.controller)) throw controllerMissing(hierarchy, need);
  }
  const needed = request.needs.map((need) => need.controller);
  const wanted = request.wanted === 'all' ? available : request.wanted.filter((name) => available.includes(name));
  const names = [...new Set([...needed, ...wanted])];
  const parent = parentPath === '' ? hierarchy.mountPoint : `${hierarchy.mountPoint}/${parentPath}`;
  if (missingIn(sys, parent, names).length === 0) return;
  const chain = ['', ...parentPath.split('/').filter((part) => part !== '')];
  let directory = hierarchy.mountPoint;
  for (const part of chain) {
    if (part !== '') directory += `/${part}`;
    passOn(sys, hierarchy, directory, { names: missingIn(sys, directory, names), needs: request.needs });
  }
}

/** The error for a limit whose controller this host's v2 hierarchy does not have at all. */
export function controllerMissing(hierarchy: Hierarchy, need: ControllerNeed): RuntimeError {
  const why = hierarchy.unified
    ? `the kernel does not offer it in ${hierarchy.mountPoint}`
    : `this host is hybrid, and ${hierarchy.mountPoint} does not have it: cgroup v1 holds it, or the kernel lacks it`;
  const hint = hierarchy.unified
    ? `enable it in the kernel (cgroup_enable=${need.controller}) or take ${need.configPath} out of the configuration`
    : `boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=${need.controller}, or take ${need.configPath} out of the configuration`;
  return new RuntimeError(
    'cgroup-controller-missing',
    `${need.configPath} cannot be applied: cgroup v2 controller "${need.controller}" is not available: ${why}; ${hint}`,
    { configPath: need.configPath, hint },
  );
}

function missingIn(sys: Sys, directory: string, names: readonly string[]): string[] {
  const enabled = words(readFile(sys, `${directory}/cgroup.subtree_control`));
  return names.filter((name) => !enabled.includes(name));
}

interface PassOn {
  readonly names: readonly string[];
  readonly needs: readonly ControllerNeed[];
}

function passOn(sys: Sys, hierarchy: Hierarchy, directory: string, { names, needs }: PassOn): void {
  // The kernel takes all of one write or nothing, so one controller that cannot be had would cost the others.
  if (names.length === 0 || writeControl(sys, directory, names) === 0) return;
  for (const name of names) {
    const result = writeControl(sys, directory, [name]);
    const need = needs.find((candidate) => candidate.controller === name);
    if (result < 0 && need !== undefined) throw refused(hierarchy, directory, need, -result);
  }
}

/** Returns 0, or the negated errno. */
function writeControl(sys: Sys, directory: string, names: readonly string[]): number {
  const fd = tryOpen(sys, `${directory}/cgroup.subtree_control`, { flags: O_WRONLY });
  if (fd < 0) return fd;
  const bytes = sys.encode(names.map((name) => `+${name}`).join(' '));
  const result = tryCall(sys, 'write', fd, bytes, bytes.byteLength);
  close(sys, fd);
  return Math.min(result, 0);
}

function refused(hierarchy: Hierarchy, directory: string, need: ControllerNeed, errno: number): RuntimeError {
  const hint = refusalHint(hierarchy, need.controller, errno);
  return new RuntimeError(
    'cgroup-controller-refused',
    `${need.configPath} cannot be applied: cannot enable cgroup controller "${need.controller}" in ${directory}/cgroup.subtree_control: ${errnoText(errno)}; ${hint}`,
    { configPath: need.configPath, hint },
  );
}

function refusalHint(hierarchy: Hierarchy, controller: string, errno: number): string {
  if (errno === EBUSY) {
    return 'that cgroup holds processes of its own: move them to a leaf cgroup, or choose a linux.cgroupsPath whose parents are empty';
  }
  if (errno === EACCES || errno === EPERM || errno === EROFS) {
    return `have the cgroup delegated to this user with its controllers (systemd: Delegate=yes, or Delegate=${controller} in user@.service)`;
  }
  if (errno === EINVAL || errno === EOPNOTSUPP) {
    return 'the cgroup is in threaded mode, which this controller does not support: choose another linux.cgroupsPath';
  }
  if (errno === ENOENT) return `its parent does not pass the controller on: have ${controller} delegated`;
  return `see what ${hierarchy.mountPoint}/cgroup.subtree_control allows`;
}
