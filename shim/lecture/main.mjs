// npm run lecture [-- --with podman] [--compare] [--transcript FILE]: types every command of a lecture on containers, in order, with `docker` being tsctl, and checks what
// comes back. Everything happens in network and mount namespaces of its own, on a registry on their loopback, below one temporary directory.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareRuns } from './compare.mjs';
import { makeDebianArchive } from './images.mjs';
import { giveLecture } from './lecture.mjs';
import { arePackagesReachable, offerPackages, relayPackages } from './packages.mjs';
import { Stage } from './stage.mjs';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: { with: { type: 'string' }, compare: { type: 'boolean' }, transcript: { type: 'string' }, inside: { type: 'string' } },
});

process.exitCode = values.inside === undefined ? await outside() : await inside(values.inside);

/** Prepares what needs the network of the machine, and goes on in namespaces of its own. */
async function outside() {
  if (process.getuid?.() !== 0) return fail('the lecture makes networks and mounts: it needs root');
  const missing = ['docker-registry', 'busybox', 'mmdebstrap', 'script', 'ip', 'iptables', 'unshare'].filter((name) => !hasCommand(name));
  if (missing.length > 0)
    return fail(
      `missing: ${missing.join(', ')}; on Debian: apt-get install docker-registry busybox-static mmdebstrap bsdutils iproute2 iptables`,
    );
  if (spawnSync(process.execPath, [join(root, '.scripts/build.mjs')], { stdio: 'inherit' }).status !== 0) return 1;
  const debian = makeDebianArchive(join(root, 'node_modules/.cache/tsrun-lecture'));
  const directory = mkdtempSync(join(tmpdir(), 'tsctl-lecture-'));
  const passed = process.argv.slice(2);
  const hasPackages = await arePackagesReachable();
  const stopOffering = hasPackages ? await offerPackages(join(directory, 'packages')) : () => undefined;
  try {
    const argv = ['--net', '--mount', '--propagation', 'private', process.execPath, import.meta.filename, '--inside', directory, ...passed];
    const child = spawn('unshare', argv, { stdio: 'inherit', env: { ...process.env, LECTURE_DEBIAN: debian } });
    const [code] = await once(child, 'exit');
    return code ?? 1;
  } finally {
    stopOffering();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {string} directory */
async function inside(directory) {
  const stage = await Stage.set(root, directory, process.env['LECTURE_DEBIAN'] ?? '');
  const hasPackages = existsSync(join(directory, 'packages'));
  const stopRelaying = hasPackages ? await relayPackages(join(directory, 'packages')) : () => undefined;
  try {
    const run = await giveLecture(stage.docker(values.with ?? 'tsctl'), { print: true, hasPackages });
    if (values.transcript !== undefined) writeFileSync(values.transcript, run.map(({ text }) => text).join('\n'));
    if (!hasPackages) process.stdout.write('\nNot typed: apt update && apt install curl, since the packages of Debian cannot be reached\n');
    const failed = run.filter(({ problem }) => problem !== undefined);
    process.stdout.write(`\n${run.length - failed.length} of ${run.length} steps as they should be\n`);
    for (const { command, problem } of failed) process.stdout.write(`NOT: ${command}\n     ${problem}\n`);
    if (values.compare === true) {
      const other = await giveLecture(stage.docker('podman'), { print: false, hasPackages });
      process.stdout.write(compareRuns(run, other));
    }
    return failed.length > 0 ? 1 : 0;
  } finally {
    stopRelaying();
    await stage.clear();
  }
}

/** @param {string} name */
function hasCommand(name) {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}

/** @param {string} text */
function fail(text) {
  process.stderr.write(`lecture: ${text}\n`);
  return 1;
}
