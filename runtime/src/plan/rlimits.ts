/** Resource limits (config.md, "rlimits"; getrlimit(2), asm-generic/resource.h). */
import { RLIMIT_TYPES, type Rlimit } from '../../../specs/runtime/process.ts';
import type { RlimitStep } from './steps.ts';

export const RLIMIT_NOFILE = RLIMIT_TYPES.indexOf('RLIMIT_NOFILE');

export function planRlimits(rlimits: readonly Rlimit[]): RlimitStep[] {
  return rlimits.map(({ type, soft, hard }, index) => ({
    kind: 'rlimit',
    configPath: `process.rlimits[${index}]`,
    resource: RLIMIT_TYPES.indexOf(type),
    soft: BigInt(soft),
    hard: BigInt(hard),
  }));
}
