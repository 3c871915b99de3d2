/** The cgroup hierarchy: controllers, and what can be done with a cgroup of one's own, which is made for that and removed. */
import { RuntimeError } from '../../base/errors.ts';
import { type Cgroup, createCgroup, undoCreate } from '../../cgroups/create.ts';
import { devicePolicy } from '../../cgroups/device-rules.ts';
import { attachDevicePolicy } from '../../cgroups/devices.ts';
import { availableControllers, cgroupOfProcess, findHierarchy, type Hierarchy } from '../../cgroups/hierarchy.ts';
import { cgroupfsPath } from '../../cgroups/path.ts';
import { tryCall } from '../../linux/call.ts';
import { readFileIfExists } from '../../linux/files.ts';
import { lstat } from '../../linux/stat.ts';
import type { Sys } from '../../sys/sys.ts';
import { asRoot, type Examination, type Finding } from './finding.ts';

const AREA = 'cgroups';
/** Controllers of the limits in `linux.resources`. */
const CONTROLLERS: readonly string[] = ['cpu', 'cpuset', 'io', 'memory', 'pids', 'hugetlb', 'rdma', 'misc'];
/** Of these every engine makes use; the others are for few. */
const COMMON: readonly string[] = ['cpu', 'cpuset', 'io', 'memory', 'pids'];
const UNIFY = 'systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all';

export function examineCgroups(examination: Examination): Finding[] {
  const { sys } = examination;
  const hierarchy = findHierarchy(sys);
  if (hierarchy === undefined) {
    const remedy = `${asRoot(sys)}mount -t cgroup2 none /sys/fs/cgroup`;
    return [
      {
        area: AREA,
        subject: 'hierarchy',
        verdict: 'limited',
        message: 'there is no cgroup v2: containers run, but without limits, statistics and pause',
        remedy,
      },
    ];
  }
  const root = hierarchyFinding(sys, hierarchy);
  return [root, ...controllerFindings(examination, hierarchy), ...ownCgroup(examination, hierarchy)];
}

function hierarchyFinding(sys: Sys, { mountPoint, unified }: Hierarchy): Finding {
  const found = { area: AREA, subject: 'hierarchy' };
  if (unified) return { ...found, verdict: 'ok', message: `unified, at ${mountPoint}` };
  const message = `hybrid: cgroup v2 at ${mountPoint} has only the controllers that no v1 hierarchy holds`;
  return { ...found, verdict: 'limited', message, remedy: bootRemedy(sys, UNIFY) };
}

/** Where the command line of the kernel can be changed by one command, that one. */
function bootRemedy(sys: Sys, parameters: string): string {
  if (lstat(sys, '/etc/default/grub') === undefined) return `boot with ${parameters}`;
  return `${asRoot(sys)}sh -c "sed -i 's/^GRUB_CMDLINE_LINUX=\\"/&${parameters} /' /etc/default/grub && update-grub && reboot"`;
}

function controllerFindings({ sys, privileged }: Examination, hierarchy: Hierarchy): Finding[] {
  const root = availableControllers(sys, hierarchy.mountPoint);
  const own = readFileIfExists(sys, `${parentDirectory(sys, hierarchy)}/cgroup.controllers`);
  const usable = privileged || own === undefined ? root : own.trim().split(' ');
  const missing = CONTROLLERS.filter((name) => !usable.includes(name));
  const found = { area: AREA, subject: 'controllers' };
  const message = `${usable.length === 0 ? 'none' : usable.join(', ')}${missing.length === 0 ? '' : `; limits of ${missing.join(', ')} cannot be applied`}`;
  if (!missing.some((name) => COMMON.includes(name))) return [{ ...found, verdict: 'ok', message }];
  const passedOn = missing.filter((name) => root.includes(name));
  if (passedOn.length > 0) {
    const remedy = `${asRoot(sys)}systemctl set-property user@${tryCall(sys, 'geteuid')}.service Delegate=yes`;
    return [{ ...found, verdict: 'limited', message: `${message}: they are not passed on to this user`, remedy }];
  }
  const held = heldByV1(readFileIfExists(sys, '/proc/self/cgroup') ?? '', missing);
  const why = held.length === 0 ? '' : `: cgroup v1 holds ${held.join(', ')}`;
  return [
    {
      ...found,
      verdict: 'limited',
      message: message + why,
      remedy: bootRemedy(sys, held.length === 0 ? `cgroup_enable=${missing.join(',')}` : UNIFY),
    },
  ];
}

/** Which of the controllers /proc/self/cgroup shows in hierarchies of version 1; io is called blkio there. */
export function heldByV1(text: string, controllers: readonly string[]): string[] {
  const held = text.split('\n').flatMap((line) => (line.split(':')[1] ?? '').split(','));
  return controllers.filter((name) => held.includes(name === 'io' ? 'blkio' : name));
}

function parentDirectory(sys: Sys, { mountPoint }: Hierarchy): string {
  const own = cgroupOfProcess(sys, 'self') ?? '/';
  return mountPoint + own.slice(0, own.lastIndexOf('/'));
}

function ownCgroup(examination: Examination, hierarchy: Hierarchy): Finding[] {
  const { sys } = examination;
  const found = { area: AREA, subject: 'own cgroup' };
  const id = `tsrun-doctor-${tryCall(sys, 'getpid')}`;
  const path = cgroupfsPath({ id, ownCgroup: cgroupOfProcess(sys, 'self') ?? '/' });
  let cgroup: Cgroup | undefined;
  try {
    cgroup = createCgroup(sys, hierarchy, path, { wanted: [], optional: true });
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return [{ ...found, verdict: 'limited', message: error.message, ...(error.hint === undefined ? {} : { remedy: error.hint }) }];
  }
  if (cgroup === undefined) {
    const message = 'this user cannot make one: containers run, but without limits, statistics and pause';
    return [{ ...found, verdict: 'limited', message, remedy: 'systemd-run --user --scope -p Delegate=yes -- tsrun …' }];
  }
  try {
    return [
      { ...found, verdict: 'ok', message: 'can be made and removed' },
      killFinding(sys, cgroup),
      ...deviceFindings(examination, cgroup),
    ];
  } finally {
    undoCreate(sys, cgroup);
  }
}

function killFinding(sys: Sys, cgroup: Cgroup): Finding {
  const found = { area: AREA, subject: 'kill and pause' };
  const missing = ['cgroup.kill', 'cgroup.freeze'].filter((file) => lstat(sys, `${cgroup.directory}/${file}`) === undefined);
  if (missing.length === 0) return { ...found, verdict: 'ok', message: 'all processes of a container can be killed and stopped at once' };
  return {
    ...found,
    verdict: 'limited',
    message: `this kernel has no ${missing.join(' and no ')}`,
    remedy: 'boot a kernel of version 5.14 or newer',
  };
}

/** With a policy that denies everything, on a cgroup without processes. */
function deviceFindings({ sys, privileged }: Examination, cgroup: Cgroup): Finding[] {
  const found = { area: AREA, subject: 'device rules' };
  if (!privileged)
    return [{ ...found, verdict: 'ok', message: 'not applied for users, whose containers reach no device that they cannot reach' }];
  try {
    attachDevicePolicy(sys, cgroup.fd, devicePolicy([{ allow: false, access: 'rwm' }], []), { isNew: true });
    return [{ ...found, verdict: 'ok', message: 'a BPF program can be attached' }];
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return [{ ...found, verdict: 'missing', message: error.message, remedy: error.hint ?? 'boot a kernel with CONFIG_CGROUP_BPF' }];
  }
}
