// npm run bench [-- TOPIC…] [--rounds N] [--json FILE]: prepares the machine, bundles the benchmarks and runs each where its peers can run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');
const out = join(root, 'node_modules/.cache/tsrun-bench');
const hybrid = '/sys/fs/cgroup/unified';
/** Topics of the image tool, of the front and of the shim have names that begin with their own. */
const BENCHES = [
  { entry: 'runtime/bench/bench.ts', owns: (/** @type {string} */ topic) => !/^(tsimg|tsctl|shim)/.test(topic), ownView: true },
  { entry: 'shim/bench/containerd.ts', owns: (/** @type {string} */ topic) => topic.startsWith('shim'), ownView: true },
  { entry: 'imagetool/bench/bench.ts', owns: (/** @type {string} */ topic) => topic.startsWith('tsimg'), ownView: false },
  { entry: 'shim/bench/bench.ts', owns: (/** @type {string} */ topic) => topic.startsWith('tsctl'), ownView: false },
];
const IN_GUEST = 'update';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string' }, json: { type: 'string' } } });
if (process.getuid?.() !== 0) {
  process.stderr.write('bench: the peers are measured as root\n');
  process.exit(1);
}
const built = spawnSync(process.execPath, [join(root, '.scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);
mkdirSync(out, { recursive: true });

const json = join(out, 'rows.json');
const rounds = values.rounds === undefined ? [] : ['--rounds', values.rounds];
/** @type {unknown[]} */
const rows = [];
let status = 0;
for (const { entry, owns, ownView } of BENCHES) {
  const topics = positionals.filter(owns);
  if (positionals.length > 0 && topics.length === 0) continue;
  const script = await bundle(entry);
  const runInGuest = entry.startsWith('runtime/') && needsGuest(topics);
  const here = runInGuest ? topics.filter((topic) => topic !== IN_GUEST) : topics;
  if (here.length > 0 || positionals.length === 0) measure(() => runBench(script, [...here, ...rounds, '--json', json], ownView));
  if (runInGuest) measure(() => runBenchInGuest(script, [IN_GUEST, ...rounds, '--json', json]));
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
process.exitCode = status;

/** @param {() => number} run */
function measure(run) {
  rmSync(json, { force: true });
  const ended = run();
  if (existsSync(json)) rows.push(...JSON.parse(readFileSync(json, 'utf8')));
  status ||= ended;
}

/** The topic about limits, where the host's unified hierarchy has none. @param {string[]} topics */
function needsGuest(topics) {
  const controllers = '/sys/fs/cgroup/cgroup.controllers';
  const has = existsSync(controllers) && /\bmemory\b/.test(readFileSync(controllers, 'utf8'));
  return !has && (topics.length === 0 || topics.includes(IN_GUEST));
}

/** @param {string} script @param {string[]} args */
function runBenchInGuest(script, args) {
  const argv = [
    join(root, 'conformance/vm/run.mjs'),
    '--writable',
    out,
    '--timeout',
    '1200',
    '--',
    process.execPath,
    '--expose-gc',
    script,
    root,
    ...args,
  ];
  return spawnSync(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'], cwd: root }).status ?? 1;
}

/** @param {string} entry */
async function bundle(entry) {
  const outfile = join(out, `${entry.split('/')[0]}.cjs`);
  const options = {
    bundle: true,
    platform: /** @type {const} */ ('node'),
    format: /** @type {const} */ ('cjs'),
    external: ['koffi'],
    target: 'node20',
  };
  await build({ entryPoints: [join(root, entry)], outfile, logLevel: 'error', ...options });
  return outfile;
}

/** @param {string} script @param {string[]} args @param {boolean} ownView */
function runBench(script, args, ownView) {
  const argv = [process.execPath, '--expose-gc', script, root, ...args];
  const isHybrid = existsSync(hybrid) && readFileSync('/proc/self/mounts', 'utf8').includes(` ${hybrid} cgroup2 `);
  const [command = 'sh', ...rest] = ownView && isHybrid ? ['sh', '-c', cgroupView(), 'sh', ...argv] : argv;
  return spawnSync(command, rest, { stdio: 'inherit', cwd: root }).status ?? 1;
}

/**
 * On a hybrid host crun refuses to run where the v2 hierarchy's root has controllers, so all runtimes are measured in a cgroup that has none, which
 * is the root of a cgroup namespace; v1 hierarchies are mounted anew where we are not in their root. Nothing of the host's hierarchies is changed
 * but that one cgroup, removed afterwards.
 */
function cgroupView() {
  return `
  set -e
  own=${hybrid}/tsrun-bench-$$
  mkdir "$own"
  trap 'rmdir "$own" 2>/dev/null || true' EXIT
  (
    sh -c 'echo $PPID' > "$own/cgroup.procs"
    exec unshare --mount --cgroup --propagation private sh -e -c '
      # The list is read first: it changes with every mount.
      grep -E " cgroup2? " /proc/self/mounts > "$0"
      while read -r _ directory type options _; do
        umount "$directory"
        mount -t "$type" -o "$(echo "$options" | sed "s/rw,//; s/relatime,//; s/relatime//; s/nosuid,nodev,noexec,//")" "$type" "$directory"
      done < "$0"
      rm "$0"
      exec "$@"' "$(mktemp)" "$@"
  )`;
}
