/** The process's properties as steps: the same for the container's own and for one executed in it. */
import type { Config } from '../../../specs/runtime/config.ts';
import type { Seccomp } from '../../../specs/runtime/linux/seccomp.ts';
import type { Process } from '../../../specs/runtime/process.ts';
import { notifies } from '../seccomp/profile.ts';
import { toSysctlPath } from '../spec/sysctl-name.ts';
import { planCapabilities } from './capabilities.ts';
import { executableCandidates } from './executable.ts';
import type { HostFacts } from './host-facts.ts';
import { planError } from './problem.ts';
import { planRlimits, RLIMIT_NOFILE } from './rlimits.ts';
import { planIoPriority, planScheduler } from './scheduling.ts';
import type { IdentityStep, LabelStep, ProcessStep, RlimitStep } from './steps.ts';

const DEFAULT_UMASK = 0o022;

export interface ProcessContext {
  readonly host: HostFacts;
  /** The container has a user namespace of its own, made by this runtime or joined. */
  readonly userNamespace: boolean;
  /** The user namespace is mapped without privilege: setgroups(2) is denied there. */
  readonly setGroupsDenied: boolean;
  /** The system call filter of the container, if it has one. */
  readonly seccomp: Seccomp | undefined;
}

/** What execve(2) gets, and what must be done directly before it. */
export interface ExecutePlan {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Paths at which args[0] may be. */
  readonly candidates: readonly string[];
  /** Set last: a limit of three descriptors must not keep the init process from opening its start gate. */
  readonly descriptorLimit: RlimitStep | undefined;
  /** The filter that is loaded last. */
  readonly seccomp: Seccomp | undefined;
}

export interface ProcessPlan {
  readonly steps: readonly ProcessStep[];
  readonly execute: ExecutePlan;
  readonly warnings: readonly string[];
}

function planLabels(process: Process, host: HostFacts): LabelStep[] {
  const steps: LabelStep[] = [];
  const { apparmorProfile, selinuxLabel } = process;
  if (apparmorProfile !== undefined && apparmorProfile !== '' && apparmorProfile !== 'unconfined') {
    if (!host.apparmor)
      throw planError('process.apparmorProfile', 'AppArmor is not enabled on this kernel', 'remove the profile, or boot with apparmor=1');
    steps.push({ kind: 'label', configPath: 'process.apparmorProfile', module: 'apparmor', label: apparmorProfile });
  }
  if (selinuxLabel !== undefined && selinuxLabel !== '') {
    if (!host.selinux)
      throw planError('process.selinuxLabel', 'SELinux is not enabled on this kernel', 'remove the label, or boot with selinux=1');
    steps.push({ kind: 'label', configPath: 'process.selinuxLabel', module: 'selinux', label: selinuxLabel });
  }
  return steps;
}

/** The last definition of a variable wins, in the place of the first. */
function withoutDuplicates(env: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const entry of env) byName.set(entry.split('=', 1)[0] ?? entry, entry);
  return [...byName.values()];
}

function planIdentity(process: Process, context: ProcessContext): { readonly step: IdentityStep; readonly warnings: readonly string[] } {
  const { uid = 0, gid = 0, additionalGids = [], umask = DEFAULT_UMASK } = process.user ?? {};
  if (context.setGroupsDenied && additionalGids.length > 0) {
    throw planError('process.user.additionalGids', 'cannot set additional groups in a rootless container without newgidmap');
  }
  const noNewPrivileges = process.noNewPrivileges === true;
  // Who asks for none gets none, as with runc and crun.
  const capabilities = planCapabilities(process.capabilities ?? {}, context.host, context.userNamespace);
  const step: IdentityStep = {
    kind: 'identity',
    configPath: 'process.user',
    uid,
    gid,
    groups: additionalGids,
    setGroups: !context.setGroupsDenied,
    // The user namespace may be the one that the runtime itself runs in.
    setGroupsMayFail: (context.userNamespace || context.host.inUserNamespace) && additionalGids.length === 0,
    ownStreams: context.host.ownStreams ?? [],
    umask,
    cwd: process.cwd,
    capabilities: capabilities.masks,
    noNewPrivileges,
    keepsAdmin: context.seccomp !== undefined && !noNewPrivileges,
  };
  return { step, warnings: capabilities.warnings };
}

/** The kernel takes the flag only together with a listener. */
function checkFlags(seccomp: Seccomp): Seccomp {
  const index = seccomp.flags?.indexOf('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV') ?? -1;
  if (index >= 0 && !notifies(seccomp)) {
    throw planError(`linux.seccomp.flags[${index}]`, 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV has no meaning without SCMP_ACT_NOTIFY');
  }
  return seccomp;
}

export function planProcess(process: Process, context: ProcessContext): ProcessPlan {
  const args = process.args ?? [];
  const command = args[0];
  if (command === undefined || command === '') throw planError('process.args', 'args must not be empty');
  const env = withoutDuplicates(process.env ?? []);
  const limits = planRlimits(process.rlimits ?? []);
  const identity = planIdentity(process, context);
  const steps: ProcessStep[] = [
    ...limits.filter((limit) => limit.resource !== RLIMIT_NOFILE),
    ...(process.scheduler === undefined ? [] : [planScheduler(process.scheduler)]),
    ...(process.ioPriority === undefined ? [] : [planIoPriority(process.ioPriority)]),
    ...planLabels(process, context.host),
    identity.step,
  ];
  const execute: ExecutePlan = {
    args,
    env,
    candidates: executableCandidates(command, env),
    descriptorLimit: limits.find((limit) => limit.resource === RLIMIT_NOFILE),
    seccomp: context.seccomp === undefined ? undefined : checkFlags(context.seccomp),
  };
  return { steps, execute, warnings: identity.warnings };
}

export function planSysctls(config: Config): ProcessStep[] {
  return Object.entries(config.linux?.sysctl ?? {}).map(([name, value]) => ({
    kind: 'sysctl',
    configPath: `linux.sysctl[${JSON.stringify(name)}]`,
    file: toSysctlPath(name),
    value,
  }));
}
