/** The shim beside runc's, with runc and with crun, under the same containerd: bench.cjs ROOT [TOPIC…] [--rounds N] [--json FILE]. */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeBundle } from '../../runtime/bench/bundle.ts';
import { median, pairedRatio } from '../../runtime/bench/measure.ts';
import { formatRow, type Goal, type Row } from '../../runtime/bench/report.ts';
import { TaskV3 } from '../../specs/containerd/task.ts';
import { TtrpcConnection } from '../src/ttrpc/client.ts';
import { addHook, type Contestant, cpuTicks, Daemon, descriptors, pssKiB, rssKiB, runcShim } from './daemon.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string' }, json: { type: 'string' } } });
const [root = '', ...topics] = positionals;
const rounds = Number(values.rounds ?? 15);
const AT_ONCE = 20;
const IDLE = 50;
const TRUE_PROCESS = JSON.stringify({ args: ['/bin/true'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } });
/** Longer than the shim keeps memory for work to come. */
const IDLE_MS = 25_000;
/** Lives one by one for each round: enough for the slowest of a hundred. */
const LIVES = 7;
/** Longer than a shim without containers stays. */
const GONE_MS = 5_000;
const TSRUN: Contestant = { name: 'tsrun', runtime: 'io.containerd.tsrun.v2' };
const RUNC = runcShim('runc', 'runc');
const CRUN = runcShim('crun', 'crun');
const ALL = [TSRUN, RUNC, CRUN];

type Samples = Readonly<Record<string, number[]>>;
let serial = 0;

/** The samples of each contestant, in turns; the first round warms up. */
async function inTurns(
  contestants: readonly Contestant[],
  count: number,
  sample: (contestant: Contestant) => Promise<number>,
): Promise<Samples> {
  const samples: Record<string, number[]> = Object.fromEntries(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= count; round++) {
    for (const contestant of contestants) {
      const value = await sample(contestant);
      if (round > 0) samples[contestant.name]?.push(value);
    }
  }
  return samples;
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function row(what: string, unit: Row['unit'], samples: Samples, limits: Readonly<Record<string, number>>): Row {
  const ours = samples['tsrun'] ?? [];
  const medians = Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, median(all)]));
  const goals: Goal[] = Object.entries(limits).map(([name, limit]) => ({
    name: `/ ${name}`,
    value: pairedRatio(ours, samples[name] ?? []),
    limit,
  }));
  return { topic: 'shim', what, medians, unit, goals };
}

/** The slowest of a hundred, compared with the slowest of a hundred. */
function tail(what: string, samples: Samples, limits: Readonly<Record<string, number>>): Row {
  const p99 = (name: string): number =>
    [...(samples[name] ?? [])].sort((a, b) => a - b).at(-1 - Math.floor((samples[name]?.length ?? 0) / 100)) ?? 0;
  const medians = Object.fromEntries(Object.keys(samples).map((name) => [name, p99(name)]));
  const goals = Object.entries(limits).map(([name, limit]) => ({ name: `/ ${name}`, value: p99('tsrun') / p99(name), limit }));
  return { topic: 'shim', what, medians, unit: 'ms', goals };
}

async function oneTask(daemon: Daemon, contestant: Contestant, bundle: string): Promise<number> {
  serial++;
  const id = `b${serial}`;
  await daemon.record(contestant, id, bundle);
  const ms = await timed(() => daemon.runTask(contestant, id));
  await daemon.forget(id);
  return ms;
}

/** A container that stays, so that the shim is warm whoever's turn it is. */
async function keep(daemon: Daemon, contestant: Contestant, id: string, bundle: string): Promise<void> {
  await daemon.record(contestant, id, bundle);
  await daemon.create(contestant, id);
  await daemon.start(id);
}

async function drop(daemon: Daemon, id: string): Promise<void> {
  await daemon.stop(id);
  await daemon.forget(id);
}

async function lives(daemon: Daemon, bundle: string, stayingBundle: string): Promise<Row[]> {
  const limits = { runc: 0.6, crun: 0.8 };
  for (const contestant of ALL) await keep(daemon, contestant, `warm-${contestant.name}`, stayingBundle);
  const one = await inTurns(ALL, rounds * LIVES, (contestant) => oneTask(daemon, contestant, bundle));
  const many = await inTurns(ALL, Math.ceil(rounds / 4), (contestant) =>
    timed(() => Promise.all(Array.from({ length: AT_ONCE }, () => oneTask(daemon, contestant, bundle)))),
  );
  for (const { name } of ALL) await drop(daemon, `warm-${name}`);
  return [
    row('create, start, wait, delete of true; warm', 'ms', one, limits),
    tail('the same, 99th percentile', one, limits),
    row(`the same, ${AT_ONCE} at once`, 'ms', many, limits),
  ];
}

async function cold(daemon: Daemon, bundle: string): Promise<Row> {
  const samples = await inTurns([TSRUN, RUNC], Math.min(3, rounds), async (contestant) => {
    if (contestant === TSRUN) await sleep(GONE_MS);
    return await oneTask(daemon, contestant, bundle);
  });
  return row('the first container of a namespace', 'ms', samples, { runc: 2 });
}

async function execs(daemon: Daemon, bundle: string): Promise<Row[]> {
  const contestants = [TSRUN, RUNC];
  for (const contestant of contestants) await keep(daemon, contestant, `x-${contestant.name}`, bundle);
  const ticks: Record<string, number> = {};
  const samples = await inTurns(contestants, rounds * 2, async (contestant) => {
    serial++;
    const before = usedBy(daemon);
    const ms = await timed(() => daemon.exec(`x-${contestant.name}`, `e${serial}`, TRUE_PROCESS));
    ticks[contestant.name] = (ticks[contestant.name] ?? 0) + usedBy(daemon) - before;
    return ms;
  });
  for (const contestant of contestants) await drop(daemon, `x-${contestant.name}`);
  const perThousand = Object.fromEntries(contestants.map(({ name }) => [name, [((ticks[name] ?? 0) * 10 * 1000) / (rounds * 2 + 1)]]));
  return [
    row('exec of true', 'ms', samples, { runc: 0.4 }),
    row('processor time of 1,000 execs: containerd, shims and all they start', 'ms', perThousand, { runc: 0.4 }),
  ];
}

function usedBy(daemon: Daemon): number {
  return [daemon.pid, ...daemon.shims()].reduce((sum, pid) => sum + cpuTicks(pid), 0);
}

async function idle(daemon: Daemon, bundle: string): Promise<Row> {
  const samples: Record<string, number[]> = {};
  for (const contestant of [TSRUN, RUNC]) {
    const ids = Array.from({ length: IDLE }, (_, index) => `i-${contestant.name}-${index}`);
    for (const id of ids) await keep(daemon, contestant, id, bundle);
    await sleep(IDLE_MS);
    samples[contestant.name] = [daemon.shims().reduce((sum, pid) => sum + pssKiB(pid), 0)];
    for (const id of ids) await drop(daemon, id);
    await sleep(GONE_MS);
  }
  return row(`all shim processes of ${IDLE} idle containers (PSS)`, 'KiB', samples, { runc: 0.25 });
}

/** The longest that the warm process takes to say the state of a container, while the create of another is held up by a hook. */
async function stalls(daemon: Daemon, bundle: string, heldBundle: string): Promise<Row> {
  await keep(daemon, TSRUN, 'watched', bundle);
  await daemon.record(TSRUN, 'held', heldBundle);
  const socket = connect(daemon.shimSocket);
  const shim = new TtrpcConnection(socket).client(TaskV3);
  let isHeld = true;
  const created = daemon.create(TSRUN, 'held').finally(() => {
    isHeld = false;
  });
  const waits: number[] = [];
  while (isHeld) {
    waits.push(await timed(() => shim.State({ id: 'watched' })));
    await sleep(1);
  }
  await created;
  socket.destroy();
  await daemon.start('held');
  for (const id of ['held', 'watched']) await drop(daemon, id);
  const slowest = Math.max(...waits);
  const goals = [{ name: 'slowest', value: slowest, limit: 50 }];
  const what = `the slowest of ${waits.length} answers while another create is held up for 3 s`;
  return { topic: 'shim', what, medians: { 'tsrun, median': median(waits) }, unit: 'ms', goals };
}

/** Growth of the warm process over many containers, after the first tenth. */
async function soak(daemon: Daemon, bundle: string, count: number): Promise<Row> {
  let first = { rss: 0, fds: 0 };
  const now = (): { rss: number; fds: number } => {
    const pids = daemon.shims();
    return { rss: pids.reduce((sum, pid) => sum + rssKiB(pid), 0), fds: pids.reduce((sum, pid) => sum + descriptors(pid), 0) };
  };
  for (let done = 0; done < count; done++) {
    await oneTask(daemon, TSRUN, bundle);
    if (done === Math.floor(count / 10)) first = now();
  }
  const last = now();
  const goals = [
    { name: 'growth of RSS, MiB', value: (last.rss - first.rss) / 1024, limit: 10 },
    { name: 'growth in descriptors', value: last.fds - first.fds, limit: 0 },
  ];
  return { topic: 'shim', what: `a soak of ${count} containers`, medians: { 'tsrun RSS': last.rss }, unit: 'KiB', goals };
}

async function main(): Promise<Row[]> {
  const daemon = new Daemon(root);
  const rows: Row[] = [];
  const wants = (topic: string): boolean => topics.length === 0 || topics.includes('shim') || topics.includes(topic);
  const add = (...more: Row[]): void => {
    for (const one of more) {
      rows.push(one);
      process.stdout.write(`${formatRow(one)}\n`);
    }
  };
  try {
    await daemon.ready();
    const trueBundle = makeBundle(daemon.directory, 'true', '/bin/busybox', ['/bin/true']);
    const sleepBundle = makeBundle(daemon.directory, 'sleep', '/bin/busybox', ['/bin/sleep', '600']);
    if (wants('shim-cold')) add(await cold(daemon, trueBundle));
    if (wants('shim-life')) add(...(await lives(daemon, trueBundle, sleepBundle)));
    if (wants('shim-exec')) add(...(await execs(daemon, sleepBundle)));
    if (wants('shim-idle')) add(await idle(daemon, sleepBundle));
    if (wants('shim-stall')) {
      const held = makeBundle(daemon.directory, 'held', '/bin/busybox', ['/bin/sleep', '600']);
      addHook(held, ['/bin/sleep', '3']);
      add(await stalls(daemon, sleepBundle, held));
    }
    if (wants('shim-soak')) add(await soak(daemon, trueBundle, rounds * 20));
  } finally {
    await daemon.close();
  }
  return rows;
}

main().then(
  (rows) => {
    if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(rows));
    process.exit(0);
  },
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  },
);
