/** Resource limits (config.md, "rlimits"; getrlimit(2), asm-generic/resource.h). */
import type { Rlimit } from '../../../specs/runtime/process.ts';
import { planError } from './problem.ts';
import type { RlimitStep } from './steps.ts';

/** By their numbers. */
export const RESOURCES = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
];

export const RLIMIT_NOFILE = 7;

export function planRlimits(rlimits: readonly Rlimit[]): RlimitStep[] {
  return rlimits.map(({ type, soft, hard }, index) => {
    const resource = RESOURCES.indexOf(type);
    if (resource < 0) throw planError(`process.rlimits[${index}].type`, `${JSON.stringify(type)} is not a resource limit`);
    return { kind: 'rlimit', configPath: `process.rlimits[${index}]`, resource, soft: BigInt(soft), hard: BigInt(hard) };
  });
}
