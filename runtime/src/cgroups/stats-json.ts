/** The `data` of `events` and `events --stats` in the shape that runc gives it, which go-runc and its users read. Pure. */
import { type CgroupStats, type Counters, exact, type Integer, type MemoryUsage, type Pressure, type PressureLine } from './stats.ts';

/** runc's number for "no limit". */
const NO_LIMIT = 2n ** 64n - 1n;

type Json = Readonly<Record<string, unknown>>;

/**
 * Statistics as runc prints them. Integers may be bigints: the writer must print them as numbers. As in Go's `omitempty`, zeros and empty lists
 * are left out where runc leaves them out.
 */
export function statsJson(stats: CgroupStats): Json {
  return {
    cpu: cpuJson(stats),
    cpuset: CPUSET,
    memory: memoryJson(stats),
    pids: omitEmpty({ current: stats.pids.current, limit: stats.pids.limit }),
    blkio: { ...blkioJson(stats), ...omitEmpty({ psi: pressureJson(stats.pressure.io) }) },
    hugetlb: Object.fromEntries(
      Object.entries(stats.hugetlb).map(([size, { current, failures }]) => [size, { ...omitEmpty({ usage: current }), failcnt: failures }]),
    ),
    intel_rdt: {},
    network_interfaces: null,
  };
}

/** Counters of cgroup v1's cpuset; runc prints them always. */
const CPUSET: Json = {
  cpu_exclusive: 0,
  mem_hardwall: 0,
  mem_exclusive: 0,
  memory_migrate: 0,
  memory_spread_page: 0,
  memory_spread_slab: 0,
  memory_pressure: 0,
  sched_load_balance: 0,
  sched_relax_domain_level: 0,
};

/** Go's `omitempty` and `omitzero`. */
function omitEmpty(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === 0 || value === 0n || (Array.isArray(value) && value.length === 0);
}

function nanoseconds(counters: Counters, name: string): Integer {
  return exact(BigInt(counters[name] ?? 0) * 1000n);
}

function cpuJson({ cpu, pressure }: CgroupStats): Json {
  const total = nanoseconds(cpu, 'usage_usec');
  const kernel = nanoseconds(cpu, 'system_usec');
  const user = nanoseconds(cpu, 'user_usec');
  const throttling = omitEmpty({
    periods: cpu['nr_periods'],
    throttledPeriods: cpu['nr_throttled'],
    throttledTime: nanoseconds(cpu, 'throttled_usec'),
  });
  return {
    ...([total, kernel, user].every(isEmpty) ? {} : { usage: { ...omitEmpty({ total }), kernel, user } }),
    ...(Object.keys(throttling).length === 0 ? {} : { throttling }),
    ...omitEmpty({ psi: pressureJson(pressure.cpu) }),
  };
}

function memoryJson(stats: CgroupStats): Json {
  return omitEmpty({
    cache: stats.memoryDetails['file'],
    usage: stats.memory === undefined ? undefined : usageJson(stats.memory),
    swap: stats.memory === undefined ? undefined : usageJson(withSwap(stats.memory, stats.swap)),
    raw: Object.keys(stats.memoryDetails).length === 0 ? undefined : stats.memoryDetails,
    psi: pressureJson(stats.pressure.memory),
  });
}

function usageJson(usage: MemoryUsage): Json {
  return { limit: usage.limit ?? NO_LIMIT, ...omitEmpty({ usage: usage.current, max: usage.peak }), failcnt: 0 };
}

/** cgroup v1 counted memory and swap together, and so runc does. Peaks do not add up. */
function withSwap(memory: MemoryUsage, swap: MemoryUsage | undefined): MemoryUsage {
  const limited = memory.limit !== undefined && (swap === undefined || swap.limit !== undefined);
  return {
    current: exact(BigInt(memory.current) + BigInt(swap?.current ?? 0)),
    limit: limited ? exact(BigInt(memory.limit) + BigInt(swap?.limit ?? 0)) : undefined,
    peak: undefined,
  };
}

function blkioJson(stats: CgroupStats): Json {
  const entries = (names: readonly (readonly [counter: string, op: string])[]) =>
    stats.io.flatMap(({ major, minor, counters }) =>
      names.flatMap(([counter, op]) => {
        const value = counters[counter];
        return value === undefined ? [] : [{ ...omitEmpty({ major, minor }), op, ...omitEmpty({ value }) }];
      }),
    );
  return omitEmpty({
    ioServiceBytesRecursive: entries([
      ['rbytes', 'Read'],
      ['wbytes', 'Write'],
    ]),
    ioServicedRecursive: entries([
      ['rios', 'Read'],
      ['wios', 'Write'],
    ]),
  });
}

function pressureJson(pressure: Pressure | undefined): Json | undefined {
  if (pressure === undefined) return undefined;
  const quiet = (line: PressureLine | undefined) => line === undefined || Object.values(line).every(isEmpty);
  return omitEmpty({ some: quiet(pressure.some) ? undefined : pressure.some, full: quiet(pressure.full) ? undefined : pressure.full });
}
