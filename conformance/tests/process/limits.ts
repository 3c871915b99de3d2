import assert from 'node:assert/strict';
import { RLIMIT_TYPES } from '../../../specs/runtime/process.ts';
import { runCommand } from '../../harness/command.ts';
import { Topic } from '../../harness/test-case.ts';

const rlimits = new Topic('process/rlimits');
const oom = new Topic('process/oom-score-adj');

/** The name of each limit in /proc/PID/limits, and values that any host can set: hard limits can only be lowered without CAP_SYS_RESOURCE. */
const ROWS: Readonly<Record<string, { readonly row: string; readonly soft: number; readonly hard: number }>> = {
  RLIMIT_CPU: { row: 'Max cpu time', soft: 1000, hard: 2000 },
  RLIMIT_FSIZE: { row: 'Max file size', soft: 1_000_000, hard: 2_000_000 },
  RLIMIT_DATA: { row: 'Max data size', soft: 1_000_000_000, hard: 2_000_000_000 },
  RLIMIT_STACK: { row: 'Max stack size', soft: 1_048_576, hard: 2_097_152 },
  RLIMIT_CORE: { row: 'Max core file size', soft: 0, hard: 0 },
  RLIMIT_RSS: { row: 'Max resident set', soft: 1_000_000, hard: 2_000_000 },
  RLIMIT_NPROC: { row: 'Max processes', soft: 1000, hard: 1001 },
  RLIMIT_NOFILE: { row: 'Max open files', soft: 100, hard: 200 },
  RLIMIT_MEMLOCK: { row: 'Max locked memory', soft: 4096, hard: 8192 },
  RLIMIT_AS: { row: 'Max address space', soft: 10_000_000_000, hard: 20_000_000_000 },
  RLIMIT_LOCKS: { row: 'Max file locks', soft: 100, hard: 200 },
  RLIMIT_SIGPENDING: { row: 'Max pending signals', soft: 100, hard: 200 },
  RLIMIT_MSGQUEUE: { row: 'Max msgqueue size', soft: 1000, hard: 2000 },
  RLIMIT_NICE: { row: 'Max nice priority', soft: 0, hard: 0 },
  RLIMIT_RTPRIO: { row: 'Max realtime priority', soft: 0, hard: 0 },
  RLIMIT_RTTIME: { row: 'Max realtime timeout', soft: 1000, hard: 2000 },
};

for (const type of RLIMIT_TYPES) {
  const name = type.slice('RLIMIT_'.length).toLowerCase();
  rlimits.test(
    `${name}: ${type} has both values`,
    ['config/rlimits/readable', 'config/rlimits/soft', 'config/rlimits/hard'],
    async (ground) => {
      const { row = '', soft = 0, hard = 0 } = ROWS[type] ?? {};
      const facts = await ground.probe(['limits'], { 'process.rlimits': [{ type, soft, hard }] });
      assert.deepEqual(facts.limit(row), { soft: String(soft), hard: String(hard) });
    },
  );
}

rlimits.test('several: several limits at once', ['config/rlimits/soft', 'config/rlimits/hard'], async (ground) => {
  const list = [
    { type: 'RLIMIT_NOFILE', soft: 64, hard: 64 },
    { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
  ];
  const facts = await ground.probe(['limits'], { 'process.rlimits': list });
  assert.deepEqual(facts.limit('Max open files'), { soft: '64', hard: '64' });
  assert.deepEqual(facts.limit('Max core file size'), { soft: '0', hard: '0' });
});

rlimits.test('infinity: the greatest value is no limit', ['config/rlimits/soft', 'config/rlimits/hard'], async (ground) => {
  const infinity = 18446744073709551615n;
  const facts = await ground.probe(['limits'], { 'process.rlimits': [{ type: 'RLIMIT_FSIZE', soft: infinity, hard: infinity }] });
  assert.deepEqual(facts.limit('Max file size'), { soft: 'unlimited', hard: 'unlimited' });
});

rlimits.test('large: a value above 2^53 is exact', ['config/rlimits/soft'], async (ground) => {
  const facts = await ground.probe(['limits'], {
    'process.rlimits': [{ type: 'RLIMIT_FSIZE', soft: 9007199254740993n, hard: 9007199254740993n }],
  });
  assert.equal(facts.limit('Max file size').soft, '9007199254740993');
});

rlimits.test('duplicates: two entries for one limit are an error', ['config/rlimits/duplicates'], (ground) =>
  ground.refuseProcess({
    'process.rlimits': [
      { type: 'RLIMIT_NOFILE', soft: 64, hard: 64 },
      { type: 'RLIMIT_NOFILE', soft: 32, hard: 32 },
    ],
  }),
);

for (const type of ['RLIMIT_NO_SUCH', 'NOFILE', 'rlimit_nofile', '']) {
  rlimits.test(
    `unknown-${type.toLowerCase() || 'empty'}: ${JSON.stringify(type)} is an error`,
    ['config/rlimits/unknown', 'config/valid-values'],
    (ground) => ground.refuseProcess({ 'process.rlimits': [{ type, soft: 64, hard: 64 }] }),
  );
}

rlimits.test(
  'soft-above-hard: a soft limit above the hard one is an error',
  ['config/valid-values', 'runtime/lifecycle/environment-error'],
  (ground) => ground.refuseProcess({ 'process.rlimits': [{ type: 'RLIMIT_NOFILE', soft: 128, hard: 64 }] }),
);

for (const value of [0, 500, 1000]) {
  oom.test(`set-${value}: the score adjustment is ${value}`, ['config/oom-score-adj/set'], async (ground) => {
    assert.equal((await ground.probe(['oom_score_adj'], { 'process.oomScoreAdj': value })).text('oom_score_adj'), String(value));
  });
}

oom.test('unset: without the property it is the caller’s', ['config/oom-score-adj/unset'], async (ground) => {
  const bundle = ground.bundle({ 'process.args': ['cat', '/proc/self/oom_score_adj'] });

  const words = [
    '-c',
    'echo 300 >/proc/self/oom_score_adj; exec "$@"',
    'sh',
    ground.runtime.path,
    '--root',
    ground.root,
    'run',
    '--bundle',
    bundle.path,
    ground.id(),
  ];
  const { stdout, stderr } = await runCommand('/bin/sh', words);
  assert.equal(stdout.trim(), '300', stderr);
});

for (const value of [1001, -1001]) {
  oom.test(`out-of-range-${value}: ${value} is an error`, ['config/valid-values', 'runtime/create/cannot-apply'], (ground) =>
    ground.refuseProcess({ 'process.oomScoreAdj': value }),
  );
}

export const limitTests = [rlimits, oom].flatMap((topic) => topic.tests);
