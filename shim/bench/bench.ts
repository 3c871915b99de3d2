/**
 * npm run bench -- tsctl[-TOPIC]… [--rounds N] [--json FILE]: tsctl beside podman and docker, in turns, on the same image, in namespaces of the bench's own.
 * A missed goal is printed and is not a failure: machines differ. A command that fails is one.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Command, inTurns, median, pairedRatio, timeSuccess } from '../../runtime/bench/measure.ts';
import { formatRow, type Row } from '../../runtime/bench/report.ts';
import { createNodeSys } from '../../runtime/src/sys/node.ts';
import type { Sys } from '../../runtime/src/sys/sys.ts';
import { type Docker, findProgram, startDocker } from './docker.ts';

const DEFAULT_ROUNDS = 15;
const LOG_BYTES = 1e9;

interface Setting {
  readonly sys: Sys;
  readonly rounds: number;
  readonly tsctl: (...words: string[]) => Command;
  readonly podman: ((...words: string[]) => Command) | undefined;
  /** Of a daemon that runs. */
  readonly docker: ((...words: string[]) => Command) | undefined;
  readonly dataRoot: string;
}

interface Topic {
  readonly name: string;
  measure(setting: Setting): Row[];
}

const NODE: Command = { path: process.execPath, args: ['-e', '0'] };

const run: Topic = {
  name: 'tsctl-run',
  measure: ({ sys, rounds, tsctl, podman, docker }) => {
    // podman raises limits that root of a container may not raise, unless it is told to leave them.
    const words = ['run', '--rm', 'localhost/bench-busybox', 'true'];
    const contestants = new Map([
      ['tsctl', tsctl(...words)],
      ...(docker === undefined ? [] : [['docker', docker('run', '--rm', 'busybox', 'true')] as const]),
      ...(podman === undefined
        ? []
        : [['podman', podman('run', '--rm', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', ...words.slice(2))] as const]),
    ]);
    const samples = inTurns(
      rounds,
      [...contestants.values()].map((command) => () => timeSuccess(sys, command)),
    );
    const medians = Object.fromEntries([...contestants.keys()].map((name, index) => [name, median(samples[index] ?? [])]));
    const limits: Readonly<Record<string, number>> = { podman: 0.5, docker: 0.7 };
    const goals = [...contestants.keys()].flatMap((name, index) => {
      const limit = limits[name];
      return limit === undefined ? [] : [{ name: `tsctl / ${name}`, value: pairedRatio(samples[0] ?? [], samples[index] ?? []), limit }];
    });
    return [{ topic: 'tsctl-run', what: 'run --rm busybox true, on the default network', medians, unit: 'ms', goals }];
  },
};

/** What a command takes beyond an empty Node. */
function overNode({ sys, rounds }: Setting, topic: string, what: string, command: Command): Row {
  const [ours = [], empty = []] = inTurns(rounds, [() => timeSuccess(sys, command), () => timeSuccess(sys, NODE)]);
  const over = median(ours.map((value, index) => value - (empty[index] ?? 0)));
  return {
    topic,
    what,
    medians: { tsctl: median(ours), 'node -e 0': median(empty) },
    unit: 'ms',
    goals: [{ name: 'over node -e 0', value: over, limit: 50 }],
  };
}

const ps: Topic = {
  name: 'tsctl-ps',
  measure: (setting) => {
    for (let index = 0; index < 200; index += 1) succeed(setting.tsctl('create', '--network', 'none', 'localhost/bench-busybox', 'true'));
    return [overNode(setting, 'tsctl-ps', 'ps -a with 200 containers', setting.tsctl('ps', '-a'))];
  },
};

const logs: Topic = {
  name: 'tsctl-logs',
  measure: (setting) => {
    succeed(setting.tsctl('create', '--name', 'long-log', '--network', 'none', 'localhost/bench-busybox', 'true'));
    const path = execFileSync(setting.tsctl('x').path, [...setting.tsctl('inspect', '-f', '{{.LogPath}}', 'long-log').args], {
      encoding: 'utf8',
    }).trim();
    const line = `${JSON.stringify({ log: `${'x'.repeat(80)}\n`, stream: 'stdout', time: '2026-01-01T00:00:00.000000000Z' })}\n`;
    const block = line.repeat(Math.ceil(1e7 / line.length));
    for (let bytes = 0; bytes < LOG_BYTES; bytes += block.length) appendFileSync(path, block);
    return [overNode(setting, 'tsctl-logs', 'logs --tail 10 of 1 GB', setting.tsctl('logs', '--tail', '10', 'long-log'))];
  },
};

const TOPICS: readonly Topic[] = [run, ps, logs];

function succeed({ path, args }: Command): void {
  const { status, stderr } = spawnSync(path, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${path} ${args.join(' ')}: ${stderr}`);
}

function makeArchive(directory: string): string {
  const tree = join(directory, 'tree');
  for (const name of ['bin', 'etc']) mkdirSync(join(tree, name), { recursive: true });
  cpSync('/bin/busybox', join(tree, 'bin/busybox'));
  execFileSync('chroot', [tree, '/bin/busybox', '--install', '-s', '/bin']);
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  writeFileSync(join(tree, 'etc/group'), 'root:x:0:\n');
  const archive = join(directory, 'busybox.tar');
  execFileSync('tar', ['-C', tree, '-cf', archive, '.']);
  return archive;
}

/** Once more, in namespaces of its own: networks of the bench are nobody else's. */
function enterNamespaces(): number {
  const argv = ['--net', '--mount', '--propagation', 'private', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  return spawnSync('unshare', argv, { stdio: 'inherit', env: { ...process.env, TSCTL_BENCH: 'inside' } }).status ?? 1;
}

function main(): number {
  if (process.env['TSCTL_BENCH'] !== 'inside') return enterNamespaces();
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string' }, json: { type: 'string' } } });
  const [root = '.', ...wanted] = positionals;
  const topics = TOPICS.filter(({ name }) => wanted.length === 0 || wanted.includes('tsctl') || wanted.includes(name));
  const directory = mkdtempSync(join(tmpdir(), 'tsctl-bench-'));
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  const dataRoot = join(directory, 'tsctl');
  let docker: Docker | undefined;
  const setting: Omit<Setting, 'docker'> = {
    sys: createNodeSys(),
    rounds: Number(values.rounds ?? DEFAULT_ROUNDS),
    tsctl: (...words) => ({ path: join(root, 'dist/bin/tsctl'), args: ['--root', dataRoot, ...words] }),
    podman: podmanIn(directory),
    dataRoot,
  };
  const rows: Row[] = [];
  try {
    const archive = makeArchive(directory);
    succeed({ path: join(root, 'dist/bin/tsimg'), args: ['--root', dataRoot, 'import', archive, 'localhost/bench-busybox'] });
    if (setting.podman !== undefined) succeed(setting.podman('import', archive, 'localhost/bench-busybox'));
    process.stdout.write(`Linux ${release()}, Node ${process.version}, medians of ${setting.rounds} rounds\n\n`);
    // Only where it is measured: a daemon takes its time.
    docker = topics.includes(run) ? startDocker(archive) : undefined;
    for (const topic of topics) {
      for (const row of topic.measure({ ...setting, docker: docker?.command })) {
        rows.push(row);
        process.stdout.write(`${formatRow(row)}\n`);
      }
    }
  } finally {
    const { stdout } = spawnSync(setting.tsctl('x').path, [...setting.tsctl('ps', '-aq').args], { encoding: 'utf8' });
    const ids = stdout.split('\n').filter((id) => id !== '');
    if (ids.length > 0) spawnSync(setting.tsctl('x').path, [...setting.tsctl('rm', '-f', ...ids).args], { stdio: 'ignore' });
    docker?.end();
    // podman leaves its store mounted on itself.
    spawnSync('umount', [join(directory, 'podman/overlay')], { stdio: 'ignore' });
    rmSync(directory, { recursive: true, force: true });
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
}

/** podman is the daemonless peer. */
function podmanIn(directory: string): ((...words: string[]) => Command) | undefined {
  const path = findProgram('podman');
  if (path === undefined) return undefined;
  const globals = [
    '--root',
    join(directory, 'podman'),
    '--runroot',
    '/run/podman-bench',
    '--cgroup-manager',
    'cgroupfs',
    '--events-backend',
    'file',
    '--runtime',
    'runc',
  ];
  return (...words) => ({ path, args: [...globals, ...words] });
}

process.exitCode = main();
