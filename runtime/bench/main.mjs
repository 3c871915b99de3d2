// npm run bench [-- TOPIC…] [--json FILE]: prepares the machine, bundles the benchmark and runs it where every peer can run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');
const out = join(root, 'node_modules/.cache/tsrun-bench');
const hybrid = '/sys/fs/cgroup/unified';

if (process.getuid?.() !== 0) {
  process.stderr.write('bench: the peers are measured as root\n');
  process.exit(1);
}
const built = spawnSync(process.execPath, [join(root, '.scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);
mkdirSync(out, { recursive: true });
await build({
  entryPoints: [join(import.meta.dirname, 'bench.ts')],
  outfile: join(out, 'bench.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  external: ['koffi'],
  logLevel: 'error',
});

const argv = [process.execPath, '--expose-gc', join(out, 'bench.cjs'), root, ...process.argv.slice(2)];
// On a hybrid host crun refuses to run where the v2 hierarchy's root has controllers, so all of them are measured in a cgroup that has none, which
// is the root of a cgroup namespace; v1 hierarchies are mounted anew where we are not in their root. Nothing of the host's hierarchies is changed but that one cgroup, removed afterwards.
const view = `
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
const isHybrid = existsSync(hybrid) && readFileSync('/proc/self/mounts', 'utf8').includes(` ${hybrid} cgroup2 `);
const command = isHybrid ? ['sh', '-c', view, 'sh', ...argv] : argv;
process.exit(spawnSync(command[0] ?? 'sh', command.slice(1), { stdio: 'inherit', cwd: root }).status ?? 1);
