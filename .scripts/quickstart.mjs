// npm run quickstart: from a fresh clone to a running container, with what is on this machine. Needs Node and npm; root or not.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureNodeModules, isRoot, root, show } from './prepare.mjs';

const { values } = parseArgs({ options: { runtime: { type: 'string', default: join(root, 'dist/bin/tsrun') } } });
const runtime = values.runtime;
const folder = join(root, 'dist/quickstart');
const bundle = join(folder, 'bundle');
const IMAGE = 'localhost/quickstart:latest';
/** Only what every shell has built in. */
const SCRIPT = `
read -r name </proc/sys/kernel/hostname
echo "hello from a container"
echo "  my process id is $$, my host name is $name, and these are all the processes I see:" /proc/[0-9]*
`;

ensureNodeModules();
if (show(process.execPath, ['.scripts/build.mjs']) !== 0) {
  process.exit(1);
}
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
tsimg('bootstrap', '-t', 'ls', '-t', 'id', IMAGE);
tsimg('unpack', IMAGE, bundle, '--', '/bin/sh', '-c', SCRIPT);
nameHost();

const id = `quickstart-${process.pid}`;
const args = ['--root', join(folder, 'state'), 'run', '--bundle', bundle, id];
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

The image is made of this machine's own tools; ${relative(process.cwd(), bundle)} is what "tsimg unpack" made of it.
Next, change ${relative(process.cwd(), join(bundle, 'config.json'))} and run the command above again, or look:

  dist/bin/tsrun --help
  npm test
`);

/** @param {string[]} args */
function tsimg(...args) {
  // What a shell would have to quote is cut short for the eye.
  console.log(`\n$ dist/bin/tsimg ${args.map((word) => word.trim().split('\n')[0] ?? '').join(' ')}`);
  const { status } = spawnSync(join(root, 'dist/bin/tsimg'), ['--root', join(folder, 'images'), ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function nameHost() {
  const path = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  config.hostname = 'quickstart';
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`);
}
