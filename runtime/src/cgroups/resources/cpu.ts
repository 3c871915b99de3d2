import type { Cpu } from '../../../../specs/runtime/linux/resources.ts';
import { sharesToWeight } from './convert.ts';
import { type Integer, type ResourceWarning, type ResourceWrite, resourceError } from './write.ts';

const AT = 'linux.resources.cpu';
const DEFAULT_WEIGHT = '100';

/** cpu.idle, cpu.weight, cpu.max and cpu.max.burst. Times are in microseconds. A quota or period of 0 means "not set". */
export function cpuWrites(cpu: Cpu): ResourceWrite[] {
  refuseRealtime(cpu);
  const writes: ResourceWrite[] = [];
  if (cpu.idle !== undefined) {
    writes.push({
      controller: 'cpu',
      file: 'cpu.idle',
      value: String(cpu.idle),
      configPath: `${AT}.idle`,
      ...(cpu.idle === 0 ? OPTIONAL : {}),
    });
  }
  const weight = cpu.idle === 1 ? undefined : sharesToWeight(cpu.shares ?? 0);
  if (weight !== undefined) {
    const value = String(weight);
    writes.push({
      controller: 'cpu',
      file: 'cpu.weight',
      value,
      configPath: `${AT}.shares`,
      ...(value === DEFAULT_WEIGHT ? OPTIONAL : {}),
    });
  }
  return [...writes, ...bandwidthWrites(cpu)];
}

const OPTIONAL = { optional: true } as const;

function bandwidthWrites(cpu: Cpu): ResourceWrite[] {
  const max = maxWrite(cpu);
  if (cpu.burst === undefined) return max === undefined ? [] : [max];
  const burst: ResourceWrite = {
    controller: 'cpu',
    file: 'cpu.max.burst',
    value: String(cpu.burst),
    configPath: `${AT}.burst`,
    ...(isZero(cpu.burst) ? OPTIONAL : {}),
  };
  if (max === undefined) return [burst];
  // The burst may never exceed the quota: a lower one must come before a lower quota, a higher one after a higher quota.
  return [{ ...burst, repeated: true }, max, burst];
}

function maxWrite(cpu: Cpu): ResourceWrite | undefined {
  const quotaUs = cpu.quota ?? 0;
  const periodUs = cpu.period ?? 0;
  if (isZero(quotaUs) && isZero(periodUs)) return undefined;
  const limited = quotaUs > 0;
  const quota = limited ? String(quotaUs) : 'max';
  // The kernel keeps the present period, at first 100000, when none is written.
  const value = isZero(periodUs) ? quota : `${quota} ${periodUs}`;
  const configPath = isZero(quotaUs) ? `${AT}.period` : `${AT}.quota`;
  return { controller: 'cpu', file: 'cpu.max', value, configPath, ...(limited ? {} : OPTIONAL) };
}

function refuseRealtime(cpu: Cpu): void {
  for (const name of ['realtimeRuntime', 'realtimePeriod'] as const) {
    if (isZero(cpu[name] ?? 0)) continue;
    throw resourceError(`${AT}.${name}`, 'cgroup v2 has no limits for realtime scheduling', `take ${AT}.${name} out of the configuration`);
  }
}

function isZero(value: Integer): boolean {
  return BigInt(value) === 0n;
}

/** cpuset.cpus and cpuset.mems. */
export function cpusetWrites(cpu: Cpu): ResourceWrite[] {
  return (['cpus', 'mems'] as const).flatMap((name) => {
    const value = cpu[name] ?? '';
    return value === '' ? [] : [{ controller: 'cpuset', file: `cpuset.${name}`, value, configPath: `${AT}.${name}` }];
  });
}

export function cpuWarnings(cpu: Cpu): ResourceWarning[] {
  if (cpu.idle !== 1 || isZero(cpu.shares ?? 0)) return [];
  return [{ configPath: `${AT}.shares`, message: `${AT}.shares is ignored: an idle cgroup (${AT}.idle) has no weight` }];
}
