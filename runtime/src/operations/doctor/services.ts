/** What else of the host containers can have the help of: systemd, security modules, CRIU. */
import { RuntimeError } from '../../base/errors.ts';
import { managerVersion } from '../../cgroups/systemd/unit.ts';
import { readFileIfExists } from '../../linux/files.ts';
import { lstat } from '../../linux/stat.ts';
import type { Sys } from '../../sys/sys.ts';
import { findCommand } from '../find-command.ts';
import { asRoot, type Examination, type Finding, installCommand } from './finding.ts';

const AREA = 'services';
const DEADLINE_MS = 5000;
const LIBSYSTEMD = { debian: 'libsystemd0', fedora: 'systemd-libs', alpine: 'libsystemd', arch: 'systemd-libs', suse: 'libsystemd0' };
const CRIU = { debian: 'criu', fedora: 'criu', alpine: 'criu', arch: 'criu', suse: 'criu' };

export function examineServices(examination: Examination): Finding[] {
  const { sys } = examination;
  return [systemdFinding(examination), apparmorFinding(sys), selinuxFinding(sys), criuFinding(sys)];
}

/** Nobody needs it: the cgroupfs driver is the default. */
function systemdFinding({ sys, privileged }: Examination): Finding {
  const found = { area: AREA, subject: 'systemd' };
  if (lstat(sys, '/run/systemd/system') === undefined) {
    return { ...found, verdict: 'ok', message: 'is not running here: cgroups are made by hand, and --systemd-cgroup is refused' };
  }
  if (sys.symbol('libsystemd.so.0', 'sd_bus_new') === 0) {
    return {
      ...found,
      verdict: 'limited',
      message: 'runs, but there is no libsystemd.so.0 for --systemd-cgroup',
      remedy: installCommand(sys, LIBSYSTEMD),
    };
  }
  try {
    const version = managerVersion(sys, { user: !privileged, timeoutMs: DEADLINE_MS });
    return { ...found, verdict: 'ok', message: `version ${version} answers: --systemd-cgroup works` };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const remedy = privileged ? 'systemctl start dbus' : 'export XDG_RUNTIME_DIR=/run/user/$(id -u)';
    return { ...found, verdict: 'limited', message: `--systemd-cgroup does not work: ${error.message}`, remedy };
  }
}

function apparmorFinding(sys: Sys): Finding {
  const found = { area: AREA, subject: 'AppArmor' };
  if (lstat(sys, '/sys/kernel/security/apparmor') !== undefined)
    return { ...found, verdict: 'ok', message: 'is enabled: process.apparmorProfile works' };
  const enabled = readFileIfExists(sys, '/sys/module/apparmor/parameters/enabled')?.trim() === 'Y';
  if (!enabled) return { ...found, verdict: 'ok', message: 'is not enabled on this kernel: process.apparmorProfile is refused' };
  return {
    ...found,
    verdict: 'limited',
    message: 'is enabled, but its file system cannot be seen: process.apparmorProfile is refused',
    remedy: `${asRoot(sys)}mount -t securityfs securityfs /sys/kernel/security`,
  };
}

function selinuxFinding(sys: Sys): Finding {
  const found = { area: AREA, subject: 'SELinux' };
  const enforce = readFileIfExists(sys, '/sys/fs/selinux/enforce')?.trim();
  if (enforce === undefined) return { ...found, verdict: 'ok', message: 'is not enabled on this kernel: labels are refused' };
  return { ...found, verdict: 'ok', message: `is ${enforce === '1' ? 'enforcing' : 'permissive'}: labels work` };
}

/** The kernel shows CONFIG_CHECKPOINT_RESTORE by a file that comes with it. */
function criuFinding(sys: Sys): Finding {
  const found = { area: AREA, subject: 'CRIU' };
  if (lstat(sys, '/proc/sys/kernel/ns_last_pid') === undefined) {
    return {
      ...found,
      verdict: 'limited',
      message: 'this kernel cannot checkpoint',
      remedy: 'boot a kernel with CONFIG_CHECKPOINT_RESTORE',
    };
  }
  const path = findCommand(sys, 'criu');
  if (path !== undefined) return { ...found, verdict: 'ok', message: `${path}, on a kernel that can checkpoint` };
  return {
    ...found,
    verdict: 'limited',
    message: 'is not installed: containers cannot be checkpointed',
    remedy: installCommand(sys, CRIU),
  };
}
