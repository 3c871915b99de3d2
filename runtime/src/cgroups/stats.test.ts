import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { type CgroupStats, hugePageSizes, parseCounters, parseInteger, parseIo, parsePressure } from './stats.ts';
import { statsJson } from './stats-json.ts';

describe('parseInteger', () => {
  it.each([
    ['42\n', 42],
    ['0', 0],
    ['max\n', undefined],
    ['', undefined],
    [undefined, undefined],
    ['9007199254740993', 9007199254740993n],
  ])('reads %j', (text, value) => {
    expect(parseInteger(text)).toBe(value);
  });
});

describe('parseCounters', () => {
  it('reads a flat keyed file', () => {
    expect(parseCounters('usage_usec 5\nuser_usec 3\ncore_sched.force_idle_usec 0\n')).toEqual({
      usage_usec: 5,
      user_usec: 3,
      'core_sched.force_idle_usec': 0,
    });
    expect(parseCounters(undefined)).toEqual({});
  });
});

describe('parseIo', () => {
  it('reads devices, and passes over those without counters', () => {
    expect(parseIo('8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 \n253:1\n')).toEqual([
      { major: 8, minor: 0, counters: { rbytes: 1, wbytes: 2, rios: 3, wios: 4, dbytes: 0, dios: 0 } },
      { major: 8, minor: 16, counters: {} },
    ]);
  });
});

describe('parsePressure', () => {
  it('reads both lines', () => {
    expect(parsePressure('some avg10=1.50 avg60=0.00 avg300=0.12 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n')).toEqual({
      some: { avg10: 1.5, avg60: 0, avg300: 0.12, total: 7 },
      full: { avg10: 0, avg60: 0, avg300: 0, total: 0 },
    });
    expect(parsePressure(undefined)).toBeUndefined();
  });
});

describe('hugePageSizes', () => {
  it('names sizes as the files of cgroups do', () => {
    expect(hugePageSizes(['hugepages-64kB', 'hugepages-2048kB', 'hugepages-1048576kB', 'other'])).toEqual(['64KB', '2MB', '1GB']);
  });
});

describe('statsJson', () => {
  const nothing: CgroupStats = {
    pids: { current: 0, limit: undefined },
    cpu: {},
    memory: undefined,
    swap: undefined,
    memoryDetails: {},
    memoryEvents: {},
    io: [],
    hugetlb: {},
    pressure: { cpu: undefined, memory: undefined, io: undefined },
  };
  const cpuset =
    '"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0}';

  it('is what runc prints where nothing is counted', () => {
    expect(stringifyJson(statsJson(nothing))).toBe(
      `{"cpu":{},${cpuset},"memory":{},"pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}`,
    );
  });

  it('is what runc prints for a container', () => {
    const quiet = { avg10: 0, avg60: 0, avg300: 0, total: 0 };
    const stats: CgroupStats = {
      ...nothing,
      pids: { current: 2, limit: 20 },
      cpu: { usage_usec: 9000, user_usec: 6000, system_usec: 3000, nr_periods: 4, nr_throttled: 1, throttled_usec: 50 },
      memory: { current: 4096, limit: 67108864, peak: 8192 },
      swap: { current: 10, limit: 100, peak: 0 },
      memoryDetails: { anon: 1, file: 2 },
      io: [{ major: 8, minor: 0, counters: { rbytes: 1, wbytes: 0, rios: 3, wios: 4, dbytes: 5 } }],
      hugetlb: { '2MB': { current: 0, limit: undefined, failures: 0 } },
      pressure: { cpu: { some: { ...quiet, avg10: 1.5, total: 7 }, full: quiet }, memory: { some: quiet, full: quiet }, io: undefined },
    };
    expect(stringifyJson(statsJson(stats))).toBe(
      [
        '{"cpu":{"usage":{"total":9000000,"kernel":3000000,"user":6000000}',
        '"throttling":{"periods":4,"throttledPeriods":1,"throttledTime":50000}',
        '"psi":{"some":{"avg10":1.5,"avg60":0,"avg300":0,"total":7}}}',
        cpuset,
        '"memory":{"cache":2,"usage":{"limit":67108864,"usage":4096,"max":8192,"failcnt":0},"swap":{"limit":67108964,"usage":4106,"failcnt":0},"raw":{"anon":1,"file":2},"psi":{}}',
        '"pids":{"current":2,"limit":20}',
        '"blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":1},{"major":8,"op":"Write"}],"ioServicedRecursive":[{"major":8,"op":"Read","value":3},{"major":8,"op":"Write","value":4}]}',
        '"hugetlb":{"2MB":{"failcnt":0}},"intel_rdt":{},"network_interfaces":null}',
      ].join(','),
    );
  });

  it('has the largest integer for no limit', () => {
    const stats = {
      ...nothing,
      memory: { current: 1, limit: undefined, peak: undefined },
      swap: { current: 0, limit: 5, peak: undefined },
    };
    expect(stringifyJson(statsJson(stats))).toContain(
      '"memory":{"usage":{"limit":18446744073709551615,"usage":1,"failcnt":0},"swap":{"limit":18446744073709551615,"usage":1,"failcnt":0}}',
    );
  });
});
