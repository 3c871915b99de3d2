/** What the container's process has and may: rights and limits. */

import { CAPABILITY_NAMES } from '../../../../specs/runtime/linux/capabilities.ts';
import { RLIMIT_TYPES } from '../../../../specs/runtime/process.ts';
import { tryCall } from '../../linux/call.ts';
import { readFileIfExists } from '../../linux/files.ts';
import type { Plan } from '../../plan/plan.ts';
import type { CapabilityMasks, IdentityStep, LabelStep, RlimitStep } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';
import { compare, type Difference } from './difference.ts';

export function processDrift(sys: Sys, pid: number, plan: Plan): Difference[] {
  const status = readFileIfExists(sys, `/proc/${pid}/status`) ?? '';
  const identity = plan.become.find((step): step is IdentityStep => step.kind === 'identity');
  return [
    ...(identity === undefined ? [] : identityDrift(status, identity)),
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
