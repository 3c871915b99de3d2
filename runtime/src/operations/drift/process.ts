/** What the container's process has and may: rights and limits. */

import { CAPABILITY_NAMES } from '../../../../specs/runtime/linux/capabilities.ts';
import { RLIMIT_TYPES } from '../../../../specs/runtime/process.ts';
import { tryCall } from '../../linux/call.ts';
import { readFileIfExists } from '../../linux/files.ts';
import type { Plan } from '../../plan/plan.ts';
import type { CapabilityMasks, IdentityStep, IdMap, LabelStep, RlimitStep, SchedulerStep } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';
import { compare, type Difference } from './difference.ts';

export function processDrift(sys: Sys, pid: number, plan: Plan): Difference[] {
  const status = readFileIfExists(sys, `/proc/${pid}/status`) ?? '';
  const identity = plan.become.find((step): step is IdentityStep => step.kind === 'identity');
  return [
    ...(identity === undefined ? [] : [...idDrift(status, plan, identity), ...identityDrift(status, identity)]),
    ...plan.become.filter((step): step is SchedulerStep => step.kind === 'scheduler').flatMap((step) => schedulerDrift(sys, pid, step)),
    ...seccompDrift(status, plan),
    ...oomDrift(sys, pid, plan),
    ...plan.become.filter((step): step is LabelStep => step.kind === 'label').flatMap((step) => labelDrift(sys, pid, step)),
    ...limitSteps(plan).flatMap((step) => limitDrift(sys, pid, step)),
  ];
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
}

function identityDrift(status: string, { capabilities, noNewPrivileges, uid }: IdentityStep): Difference[] {
  const privileges = { aspect: 'process', configPath: 'process.noNewPrivileges', object: 'no_new_privs' } as const;
  return [
    ...(capabilities === undefined ? [] : capabilityDrift(status, capabilities, uid)),
    ...(noNewPrivileges ? compare(privileges, '1', field(status, 'NoNewPrivs')) : []),
  ];
}

/** Who may become somebody else does so by rights. Of a user namespace that was joined, the maps are not known. */
function idDrift(status: string, { namespaces }: Plan, { uid, gid, groups, capabilities }: IdentityStep): Difference[] {
  if (namespaces.join.some((join) => join.type === 'user')) return [];
  const mayBecome = (name: string): boolean =>
    capabilities === undefined || ((capabilities.bounding >> BigInt((CAPABILITY_NAMES as readonly string[]).indexOf(name))) & 1n) === 1n;
  const own = namespaces.create.includes('user');
  const one = (object: string, file: string, ids: readonly number[], maps: readonly IdMap[]): Difference[] => {
    const expected = ids.map((id) => (own ? hostId(id, maps) : id)).sort((a, b) => a - b);
    const configPath = `process.user.${object === 'groups' ? 'additionalGids' : object}`;
    const words = field(status, file)
      .split(/\s+/)
      .filter((word) => word !== '');
    // Real, effective, saved and file system id; or all groups.
    const actual = object === 'groups' ? words.map(Number).sort((a, b) => a - b) : [...new Set(words.map(Number))];
    return compare({ aspect: 'process', configPath, object }, expected.join(' '), actual.join(' '));
  };
  return [
    ...(mayBecome('CAP_SETUID') ? [] : one('uid', 'Uid', [uid], namespaces.uidMappings)),
    ...(mayBecome('CAP_SETGID') ? [] : one('gid', 'Gid', [gid], namespaces.gidMappings)),
    ...(mayBecome('CAP_SETGID') || groups.length === 0 ? [] : one('groups', 'Groups', groups, namespaces.gidMappings)),
  ];
}

/** What the kernel shows for an id that is not mapped. */
const OVERFLOW_ID = 65_534;

function hostId(id: number, maps: readonly IdMap[]): number {
  const map = maps.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return map === undefined ? OVERFLOW_ID : map.hostID + id - map.containerID;
}

const SCHED_ATTR_BYTES = 48;
const POLICIES: Readonly<Record<number, string>> = { 0: 'other', 1: 'fifo', 2: 'rr', 3: 'batch', 5: 'idle', 6: 'deadline' };

function schedulerDrift(sys: Sys, pid: number, step: SchedulerStep): Difference[] {
  const attributes = new ArrayBuffer(SCHED_ATTR_BYTES);
  const result = tryCall(sys, 'sched_getattr', pid, attributes, SCHED_ATTR_BYTES, 0);
  const view = new DataView(attributes);
  const actual =
    result < 0
      ? undefined
      : schedulerText({
          policy: view.getUint32(4, true),
          nice: view.getInt32(16, true),
          priority: view.getUint32(20, true),
          runtimeNs: view.getBigUint64(24, true),
          deadlineNs: view.getBigUint64(32, true),
          periodNs: view.getBigUint64(40, true),
        });
  return compare({ aspect: 'process', configPath: step.configPath, object: 'scheduler' }, schedulerText(step), actual);
}

/** Of the attributes those that the policy has. */
function schedulerText(step: Pick<SchedulerStep, 'policy' | 'nice' | 'priority' | 'runtimeNs' | 'deadlineNs' | 'periodNs'>): string {
  const name = POLICIES[step.policy] ?? String(step.policy);
  if (name === 'deadline') return `${name} runtime=${step.runtimeNs} deadline=${step.deadlineNs} period=${step.periodNs}`;
  return name === 'fifo' || name === 'rr' ? `${name} priority=${step.priority}` : `${name} nice=${step.nice}`;
}

/**
 * The bounding set can only shrink. Of the others a program may give away what it has; what it has beyond what execve(2) left it (capabilities(7),
 * "Transformation of capabilities during execve()") is drift.
 */
function capabilityDrift(status: string, masks: CapabilityMasks, uid: number): Difference[] {
  const afterExec = uid === 0 ? masks.inheritable | masks.bounding : masks.ambient;
  const most: readonly (readonly [name: string, label: string, mask: bigint])[] = [
    ['CapBnd', 'bounding', masks.bounding],
    ['CapPrm', 'permitted', afterExec],
    ['CapEff', 'effective', afterExec],
    ['CapInh', 'inheritable', masks.inheritable],
    ['CapAmb', 'ambient', masks.ambient],
  ];
  return most.flatMap(([name, label, allowed]) => {
    const actual = BigInt(`0x${field(status, name) || '0'}`);
    const isExact = label === 'bounding';
    if (isExact ? actual === allowed : (actual & ~allowed) === 0n) return [];
    const what = { aspect: 'process', configPath: `process.capabilities.${label}`, object: `${label} capabilities` } as const;
    return [{ ...what, expected: isExact ? names(allowed) : `no more than ${names(allowed)}`, actual: names(actual) }];
  });
}

function names(mask: bigint): string {
  const list = CAPABILITY_NAMES.filter((_, index) => ((mask >> BigInt(index)) & 1n) === 1n);
  return list.length === 0 ? 'none' : list.join(' ');
}

const FILTER_MODE = '2';

function seccompDrift(status: string, { execute }: Plan): Difference[] {
  if (execute.seccomp === undefined) return [];
  return compare({ aspect: 'process', configPath: 'linux.seccomp', object: 'seccomp mode' }, FILTER_MODE, field(status, 'Seccomp'));
}

function oomDrift(sys: Sys, pid: number, { oomScoreAdj }: Plan): Difference[] {
  if (oomScoreAdj === undefined) return [];
  const actual = readFileIfExists(sys, `/proc/${pid}/oom_score_adj`)?.trim();
  return compare({ aspect: 'process', configPath: 'process.oomScoreAdj', object: 'oom_score_adj' }, String(oomScoreAdj), actual);
}

/** AppArmor adds its mode: `profile (enforce)`. */
function labelDrift(sys: Sys, pid: number, { module, label, configPath }: LabelStep): Difference[] {
  const actual = readFileIfExists(sys, `/proc/${pid}/attr/${module === 'apparmor' ? 'apparmor/' : ''}current`)
    ?.replace(/\0.*$/s, '')
    .trim();
  return compare({ aspect: 'process', configPath, object: `${module} label` }, label, actual?.replace(/ \(\w+\)$/, ''));
}

function limitSteps({ become, execute }: Plan): RlimitStep[] {
  const steps = become.filter((step): step is RlimitStep => step.kind === 'rlimit');
  return execute.descriptorLimit === undefined ? steps : [...steps, execute.descriptorLimit];
}

const RLIMIT_BYTES = 16;

function limitDrift(sys: Sys, pid: number, { resource, soft, hard, configPath }: RlimitStep): Difference[] {
  const limit = new ArrayBuffer(RLIMIT_BYTES);
  const view = new DataView(limit);
  const result = tryCall(sys, 'prlimit64', pid, resource, null, limit);
  const actual = result < 0 ? undefined : limitText(view.getBigUint64(0, true), view.getBigUint64(8, true));
  return compare({ aspect: 'limit', configPath, object: RLIMIT_TYPES[resource] ?? String(resource) }, limitText(soft, hard), actual);
}

function limitText(soft: bigint, hard: bigint): string {
  return `soft=${soft}, hard=${hard}`;
}
