// npm run quickstart: from a fresh clone to a running container, with what is on this machine. Needs Node and npm; root or not.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureNodeModules, isRoot, root, show } from './prepare.mjs';

const { values } = parseArgs({ options: { runtime: { type: 'string', default: join(root, 'dist/bin/tsrun') } } });
const runtime = values.runtime;
const bundle = join(root, 'dist/quickstart');
const rootfs = join(bundle, 'rootfs');
/** Only what every shell has built in, so that one program is a whole root file system. */
const SCRIPT = `
read -r name </proc/sys/kernel/hostname
echo "hello from a container"
echo "  my process id is $$, my host name is $name, and these are all the processes I see:" /proc/[0-9]*
`;

ensureNodeModules();
if (show(process.execPath, ['.scripts/build.mjs']) !== 0) {
  process.exit(1);
}
rmSync(bundle, { recursive: true, force: true });
const contents = makeRootfs();
makeConfig();

const id = `quickstart-${process.pid}`;
const args = ['--root', join(bundle, 'state'), 'run', '--bundle', bundle, id];
console.log(`\n$ ${[relative(process.cwd(), runtime) || runtime, ...args].join(' ')}`);
const started = performance.now();
const { status, error } = spawnSync(runtime, args, { stdio: ['ignore', 'inherit', 'inherit'] });
const milliseconds = Math.round(performance.now() - started);
if (error || status !== 0) {
  console.error(`The container did not run (${error?.message ?? `exit status ${status}`}). Its bundle is in ${bundle}.`);
  process.exit(1);
}
console.log(`
That took ${milliseconds} ms, from the start of the command to the end of the container${isRoot ? '' : ', and no root'}.

What was there before: ${contents}
as ${rootfs}, and a config.json from "tsrun spec".
Next, change ${relative(process.cwd(), join(bundle, 'config.json'))} and run the command above again, or look:

  dist/bin/tsrun --help
  npm test
`);

/** Fills the root file system and says with what. */
function makeRootfs() {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) {
    mkdirSync(join(rootfs, name), { recursive: true });
  }
  const busybox = ['/bin/busybox', '/usr/bin/busybox', '/bin/busybox.static'].find(
    (path) => existsSync(path) && libraries(path).length === 0,
  );
  if (busybox) {
    copyFileSync(busybox, join(rootfs, 'bin/busybox'));
    for (const name of ['sh', 'ls', 'cat', 'echo', 'ps', 'mount', 'hostname', 'id', 'sleep', 'true']) {
      symlinkSync('busybox', join(rootfs, 'bin', name));
    }
    return `this machine's static ${busybox}`;
  }
  const tools = ['sh', 'ls', 'cat', 'hostname', 'id', 'sleep'].map((name) => [name, find(name)]).filter(([, path]) => path !== '');
  const files = new Set(tools.flatMap(([, path]) => libraries(path ?? '')));
  for (const [name = '', path = ''] of tools) {
    copyFileSync(realpathSync(path), join(rootfs, 'bin', name));
  }
  for (const path of files) {
    mkdirSync(dirname(join(rootfs, path)), { recursive: true });
    copyFileSync(realpathSync(path), join(rootfs, path));
  }
  return `this machine's ${tools.map(([name]) => name).join(', ')} and the ${files.size} libraries they need`;
}

/** The shared libraries and the loader of a program; none of a static one. @param {string} path */
function libraries(path) {
  const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/(?:=>\s*|^\s*)(\/\S+)/gm)].map((match) => match[1] ?? '');
}

/** @param {string} name */
function find(name) {
  return ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? '';
}

function makeConfig() {
  if (show(runtime, ['spec', '--bundle', bundle, ...(isRoot ? [] : ['--rootless'])]) !== 0) {
    process.exit(1);
  }
  const path = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  config.process.args = ['/bin/sh', '-c', SCRIPT];
  config.process.terminal = false;
  config.hostname = 'quickstart';
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`);
}
