/** Limits from docker's words to the runtime's: bytes and microseconds; shares become weights in the runtime. */

import type { LinuxResources } from '../../../specs/runtime/linux/resources.ts';
import type { Resources } from './record.ts';

const PERIOD_US = 100_000;

/** Only what is limited: on a host without controllers, a container without limits must start. */
export function runtimeResources(limits: Resources): LinuxResources {
  const memory = memoryOf(limits);
  const cpu = cpuOf(limits);
  const pids = limits.PidsLimit ?? 0;
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(pids === 0 ? {} : { pids: { limit: BigInt(pids) } }),
    ...(limits.BlkioWeight === undefined || limits.BlkioWeight === 0 ? {} : { blockIO: { weight: limits.BlkioWeight } }),
  };
}

function memoryOf(limits: Resources): LinuxResources['memory'] {
  const limit = limits.Memory ?? 0;
  const reservation = limits.MemoryReservation ?? 0;
  if (limit === 0 && reservation === 0) return undefined;
  // Docker gives as much swap as memory where nothing is said.
  const swap = limits.MemorySwap === undefined || limits.MemorySwap === 0 ? limit * 2 : limits.MemorySwap;
  return {
    ...(limit === 0 ? {} : { limit: BigInt(limit), swap: BigInt(swap) }),
    ...(reservation === 0 ? {} : { reservation: BigInt(reservation) }),
  };
}

function cpuOf(limits: Resources): LinuxResources['cpu'] {
  const { CpuShares: shares = 0, NanoCpus: nanoCpus = 0, CpusetCpus: cpus = '', CpusetMems: mems = '' } = limits;
  const quota = nanoCpus === 0 ? (limits.CpuQuota ?? 0) : Math.round((nanoCpus * PERIOD_US) / 1e9);
  const period = nanoCpus === 0 ? (limits.CpuPeriod ?? 0) : PERIOD_US;
  const fields = {
    ...(shares === 0 ? {} : { shares: BigInt(shares) }),
    ...(quota === 0 ? {} : { quota: BigInt(quota) }),
    ...(period === 0 ? {} : { period: BigInt(period) }),
    ...(cpus === '' ? {} : { cpus }),
    ...(mems === '' ? {} : { mems }),
  };
  return Object.keys(fields).length === 0 ? undefined : fields;
}
