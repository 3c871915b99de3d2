import { existsSync, readFileSync } from 'node:fs';
import { arch, getPriority } from 'node:os';
import { itWith } from '../../.scripts/jest/requirement.ts';
import type { Rlimit } from '../../specs/runtime/process.ts';
import { type Draft, onBothEngines } from './ground.ts';

const resourceless = { what: 'caller without CAP_SYS_RESOURCE', met: !hasResourceCapability() };

const INFINITY = 18_446_744_073_709_551_615n;

/** [type, name in /proc/PID/limits, soft, hard] Root of this machine may not raise a hard limit. */
const LIMITS: readonly (readonly [Rlimit['type'], string, number | bigint, number | bigint])[] = [
  ['RLIMIT_CPU', 'Max cpu time', 1000, 2000],
  ['RLIMIT_FSIZE', 'Max file size', 1_000_000, INFINITY],
  ['RLIMIT_DATA', 'Max data size', INFINITY, INFINITY],
  ['RLIMIT_STACK', 'Max stack size', 8_388_608, 9_000_000_000_000_000_000n],
  ['RLIMIT_CORE', 'Max core file size', 0, 0],
  ['RLIMIT_RSS', 'Max resident set', 1, 2],
  ['RLIMIT_NPROC', 'Max processes', 500, 600],
  ['RLIMIT_NOFILE', 'Max open files', 17, 19],
  ['RLIMIT_MEMLOCK', 'Max locked memory', 100, 200],
  ['RLIMIT_AS', 'Max address space', 9_007_199_254_740_993n, INFINITY],
  ['RLIMIT_LOCKS', 'Max file locks', 5, 6],
  ['RLIMIT_SIGPENDING', 'Max pending signals', 7, 8],
  ['RLIMIT_MSGQUEUE', 'Max msgqueue size', 9, 10],
  ['RLIMIT_NICE', 'Max nice priority', 0, 0],
  ['RLIMIT_RTPRIO', 'Max realtime priority', 0, 0],
  ['RLIMIT_RTTIME', 'Max realtime timeout', 11, 12],
];

const text = (limit: number | bigint): string => (limit === INFINITY ? 'unlimited' : String(limit));

const like =
  (process: Partial<Draft['process']>) =>
  (config: Draft): void => {
    Object.assign(config.process, process);
  };

onBothEngines('limits of the process', (ground) => {
  it('are resource limits, each to the last bit', () => {
    const { lines } = ground().run((config) => {
      config.process.args = ['cat', '/proc/self/limits'];
      config.process.rlimits = LIMITS.map(([type, , soft, hard]) => ({ type, soft, hard }));
    });
    const seen = LIMITS.map(([, name]) => {
      const line = lines.find((candidate) => candidate.startsWith(`${name} `)) ?? '';
      return [name, ...line.slice(26).trim().split(/ +/).slice(0, 2)];
    });
    expect(seen).toEqual(LIMITS.map(([, name, soft, hard]) => [name, text(soft), text(hard)]));
  });

  it.each([3, 4, 5])('can leave %i descriptors', (limit) => {
    const rlimits = [{ type: 'RLIMIT_NOFILE' as const, soft: limit, hard: limit }];
    const { lines } = ground().run(like({ args: ['sh', '-c', 'ulimit -n; echo ran'], rlimits }), { created: () => undefined });
    expect(lines).toEqual([String(limit), 'ran']);
  });

  it('are those of the caller when they are not set', () => {
    const { lines } = ground().run(like({ args: ['cat', '/proc/self/limits'], rlimits: [] }));
    const own = readFileSync('/proc/self/limits', 'utf8').split('\n');
    expect(lines.find((line) => line.startsWith('Max processes'))).toBe(own.find((line) => line.startsWith('Max processes')));
  });

  // Root of an ordinary host may raise every limit.
  itWith([resourceless], 'must not be raised beyond what the caller may', () => {
    const rlimits = [{ type: 'RLIMIT_NICE' as const, soft: 40, hard: 40 }];
    expect(ground().refused(like({ rlimits }))).toMatch(
      /process\.rlimits\[0\]: set the resource limits: prlimit64 RLIMIT_NICE \{soft=40, hard=40\}: operation not permitted$/,
    );
  });

  itWith([resourceless], 'must not be raised at start either: a limit on descriptors fails at create', () => {
    const rlimits = [{ type: 'RLIMIT_NOFILE' as const, soft: 10, hard: 2_000_000_000 }];
    expect(ground().refused(like({ rlimits }))).toMatch(
      /process\.rlimits\[0\]: set the resource limits: prlimit64 RLIMIT_NOFILE \{soft=10, hard=2000000000\}: operation not permitted$/,
    );
  });

  it('are the score of the OOM killer, and that of the caller without one', () => {
    const score = (oomScoreAdj?: number): readonly string[] =>
      ground().run(like({ args: ['cat', '/proc/self/oom_score_adj'], ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }) })).lines;
    expect([score(500), score()]).toEqual([['500'], [readFileSync('/proc/self/oom_score_adj', 'utf8').trim()]]);
  });

  it.each([
    [{ policy: 'SCHED_OTHER', nice: 7 }, '0 7'],
    [{ policy: 'SCHED_BATCH', nice: 3 }, '3 3'],
    // The kernel keeps the caller's nice value for it (sched(7)).
    [{ policy: 'SCHED_IDLE' }, `5 ${getPriority()}`],
    [{ policy: 'SCHED_BATCH', flags: ['SCHED_FLAG_RESET_ON_FORK'] }, '3 0'],
  ] as const)('are the scheduler: %j', (scheduler, expected) => {
    const { lines } = ground().run(
      like({ args: ['cat', '/proc/self/stat'], scheduler: structuredClone(scheduler) as NonNullable<Draft['process']['scheduler']> }),
    );
    const fields = (lines[0] ?? '').split(') ')[1]?.split(' ') ?? [];
    expect(`${fields[38]} ${fields[16]}`).toBe(expected);
  });

  it.each([
    [{ class: 'IOPRIO_CLASS_BE', priority: 6 }, 'best-effort: prio 6'],
    [{ class: 'IOPRIO_CLASS_IDLE' }, 'idle'],
    [{ class: 'IOPRIO_CLASS_RT', priority: 1 }, 'realtime: prio 1'],
  ] as const)('are the I/O priority: %j', (ioPriority, expected) => {
    expect(ground().sh('ionice -p $$', like({ ioPriority })).lines).toEqual([expect.stringContaining(expected)]);
  });

  it('are the personality, the memory policy and sysctls', () => {
    const { lines } = ground().sh(
      'uname -m; cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/lo/forwarding /proc/sys/fs/mqueue/msg_max; head -c 200 /proc/self/numa_maps | head -1',
      (config) => {
        config.linux.personality = { domain: 'LINUX32' };
        config.linux.sysctl = {
          'kernel.msgmax': '4096',
          'net.ipv4.ip_forward': '1',
          'net/ipv4/conf/lo/forwarding': '1',
          'fs.mqueue.msg_max': '17',
        };
        if (existsSync('/proc/self/numa_maps'))
          config.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] };
      },
    );
    expect(lines.slice(0, 5)).toEqual([arch() === 'x64' ? 'i686' : 'armv8l', '4096', '1', '1', '17']);
    if (existsSync('/proc/self/numa_maps')) expect(lines[5]).toContain(' bind=static:0 ');
  });

  it('are refused with their names', () => {
    const message = (change: (config: Draft) => void): string => ground().refused(change);
    expect(message((config) => (config.linux.sysctl = { 'kernel.msgmax': 'many' }))).toMatch(
      /linux\.sysctl\["kernel\.msgmax"\]: set the sysctl kernel\/msgmax: write \/proc\/sys\/kernel\/msgmax: invalid argument$/,
    );
    expect(message((config) => (config.linux.sysctl = { 'net.nothing': '1' }))).toMatch(
      /linux\.sysctl\["net\.nothing"\]: .*sys\/net\/nothing: no such file/,
    );
    expect(message((config) => (config.linux.sysctl = { 'kernel.core_pattern': 'x' }))).toContain('kernel.core_pattern');
    expect(message((config) => (config.linux.sysctl = { 'net.ipv4/../../kernel/core_pattern': 'x' }))).toContain('linux.sysctl');
    expect(message((config) => (config.process.oomScoreAdj = 1001))).toContain('process.oomScoreAdj');
    expect(message((config) => Object.assign(config.process, { rlimits: [{ type: 'RLIMIT_NOTHING', soft: 1, hard: 1 }] }))).toContain(
      'process.rlimits[0].type',
    );
    expect(message((config) => (config.hostname = 'x'.repeat(65)))).toContain('hostname');
  });
});

function hasResourceCapability(): boolean {
  const mask = /^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> 24n) & 1n) === 1n;
}
