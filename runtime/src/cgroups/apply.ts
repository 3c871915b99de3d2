/** Carrying out planned resources on a container's cgroup. */
import { RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { EACCES, EINVAL, ENODEV, ENOENT, EPERM, EROFS, syscallError } from '../linux/errno.ts';
import { close, readFileIfExists, tryOpen } from '../linux/files.ts';
import { O_WRONLY } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';
import { controllerMissing, enableControllers } from './controllers.ts';
import type { Cgroup } from './create.ts';
import { availableControllers } from './hierarchy.ts';
import { type ResourceWrite, resourceError } from './resources/write.ts';
import { controllerNeeds, type MemoryCheck, type ResourcePlan } from './resources.ts';
import { restoreValues } from './restore.ts';

/**
 * Makes the writes on a new cgroup. A failure leaves those before it: the cgroup is to be removed then.
 *
 * @throws SyscallError for a value that the kernel refuses; RuntimeError `cgroup-controller-missing`, `cgroup-controller-refused` or
 * `cgroup-file-missing` for a file that is not there. Each names the place in the configuration.
 */
export function applyResources(sys: Sys, cgroup: Cgroup, plan: ResourcePlan): void {
  for (const write of plan.writes) makeWrite(sys, cgroup, write);
}

export interface UpdateOptions {
  /** Tells somebody else of the limits (systemd): called first, and after a failure with the old values. */
  readonly mirror?: ((writes: readonly ResourceWrite[]) => void) | undefined;
  /** What belongs to the update and is done at its end. It takes back by itself what it has done when it fails. */
  readonly last?: (() => void) | undefined;
}

/**
 * Makes the writes on the cgroup of a container that lives: all of them, or none. After a failure the files have their old values again.
 *
 * @throws as `applyResources` and `enableControllers`; RuntimeError `cgroup-resources` for a memory limit that `checkBeforeUpdate` forbids
 */
export function updateResources(sys: Sys, cgroup: Cgroup, plan: ResourcePlan, { mirror, last }: UpdateOptions = {}): void {
  if (plan.memoryCheck !== undefined) checkMemory(sys, cgroup, plan.memoryCheck);
  const parent = cgroup.path.includes('/') ? cgroup.path.slice(0, cgroup.path.lastIndexOf('/')) : '';
  enableControllers(sys, cgroup.hierarchy, parent, { needs: controllerNeeds(plan.writes), wanted: [] });
  const undo = mirror === undefined ? [] : plan.writes.flatMap((write) => restoringWrites(sys, cgroup, write));
  mirror?.(plan.writes);
  try {
    for (const write of plan.writes) {
      if (mirror === undefined) undo.push(...restoringWrites(sys, cgroup, write));
      makeWrite(sys, cgroup, write);
    }
    last?.();
  } catch (error) {
    try {
      mirror?.(undo);
    } catch {
      // The failure that came first is the one to tell of.
    }
    // In reverse, as burst and quota, or idle and weight, allow each other's values only in some order.
    for (const { file, value } of undo.toReversed()) tryWrite(sys, cgroup.fd, file, value);
    throw error;
  }
}

/** In the reverse of the order in which they are to be made. */
function restoringWrites(sys: Sys, cgroup: Cgroup, write: ResourceWrite): ResourceWrite[] {
  return targetsOf(write).flatMap(({ file, value }) => {
    const old = readFileIfExists(sys, file, cgroup.fd);
    const { controller, configPath } = write;
    return old === undefined
      ? []
      : restoreValues(file, value, old)
          .toReversed()
          .map((restored) => ({ controller, configPath, file, value: restored }));
  });
}

interface Target {
  readonly file: string;
  readonly value: string;
}

function targetsOf(write: ResourceWrite): Target[] {
  return write.instead === undefined ? [write] : [write, write.instead];
}

function makeWrite(sys: Sys, cgroup: Cgroup, write: ResourceWrite): void {
  for (const target of targetsOf(write)) {
    const result = tryWrite(sys, cgroup.fd, target.file, target.value);
    if (result === 0 || (result === -EINVAL && write.repeated === true)) return;
    if (result !== -ENOENT) throw refused(cgroup, write, target, -result);
  }
  if (write.optional !== true) throw missing(sys, cgroup, write);
}

/** One open, one write(2): these files take a value as a whole. Returns 0 or the negated errno. */
function tryWrite(sys: Sys, directoryFd: number, file: string, value: string): number {
  const fd = tryOpen(sys, file, { flags: O_WRONLY, at: directoryFd });
  if (fd < 0) return fd;
  const bytes = sys.encode(value);
  const result = tryCall(sys, 'write', fd, bytes, bytes.byteLength);
  close(sys, fd);
  return Math.min(result, 0);
}

function refused(cgroup: Cgroup, write: ResourceWrite, target: Target, errno: number): Error {
  const object = `${cgroup.directory}/${target.file}`;
  const hint = refusalHint(target, errno);
  return syscallError(
    { syscall: 'write', errno, object, configPath: write.configPath, ...(hint === undefined ? {} : { hint }) },
    `${write.configPath}: cannot write ${JSON.stringify(target.value)} to ${object}`,
  );
}

function refusalHint({ file, value }: Target, errno: number): string | undefined {
  if (errno === EACCES || errno === EPERM || errno === EROFS) {
    return 'the controller is not delegated to this user: see Delegate= in systemd.resource-control(5)';
  }
  if (errno === ENODEV && file.startsWith('io.')) return `there is no block device ${value.split(' ', 1)[0]}; partitions cannot be limited`;
  return undefined;
}

function missing(sys: Sys, cgroup: Cgroup, write: ResourceWrite): RuntimeError {
  const { controller, configPath, file } = write;
  if (controller !== 'cgroup' && !availableControllers(sys, cgroup.hierarchy.mountPoint).includes(controller)) {
    return controllerMissing(cgroup.hierarchy, write);
  }
  if (controller !== 'cgroup' && !availableControllers(sys, cgroup.directory).includes(controller)) {
    return new RuntimeError(
      'cgroup-controller-refused',
      `${configPath} cannot be applied: cgroup controller "${controller}" is not enabled for ${cgroup.directory}`,
      { configPath, hint: `its ancestors must pass it on: echo +${controller} > cgroup.subtree_control in each of them` },
    );
  }
  const hint = missingHint(file);
  return new RuntimeError('cgroup-file-missing', `${configPath} cannot be applied: this kernel has no ${cgroup.directory}/${file}${hint}`, {
    configPath,
    ...(hint === '' ? {} : { hint: hint.slice(2) }),
  });
}

function missingHint(file: string): string {
  if (file.startsWith('hugetlb.')) return '; /sys/kernel/mm/hugepages has the page sizes of this machine';
  if (file.startsWith('memory.swap.')) return '; boot with swapaccount=1';
  if (file === 'io.weight') return '; it comes with the BFQ scheduler (io.bfq.weight) or CONFIG_BLK_CGROUP_IOCOST (io.weight)';
  return '';
}

function checkMemory(sys: Sys, cgroup: Cgroup, check: MemoryCheck): void {
  const memoryBytes = readBytes(sys, cgroup, 'memory.current');
  if (memoryBytes === undefined) return;
  const totalBytes = memoryBytes + (readBytes(sys, cgroup, 'memory.swap.current') ?? 0n);
  rejectAtMost(check.swapBytes, totalBytes, 'linux.resources.memory.swap', 'memory+swap');
  rejectAtMost(check.limitBytes, memoryBytes, 'linux.resources.memory.limit', 'memory');
}

function rejectAtMost(limitBytes: bigint | undefined, usageBytes: bigint, configPath: string, what: string): void {
  if (limitBytes === undefined || limitBytes > usageBytes) return;
  throw resourceError(
    configPath,
    `rejecting ${what} limit ${limitBytes} <= usage ${usageBytes}`,
    'memory.checkBeforeUpdate asks for this check',
  );
}

function readBytes(sys: Sys, cgroup: Cgroup, file: string): bigint | undefined {
  const text = readFileIfExists(sys, file, cgroup.fd);
  return text === undefined ? undefined : BigInt(text.trim());
}
