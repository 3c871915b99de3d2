// npm run build: everything under dist/, the commands in dist/bin/.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dist, locked, Missing, root } from './build/files.mjs';
import { buildNative } from './build/native.mjs';
import { buildNodeCommands, writeLauncher } from './build/node-commands.mjs';

/** Commands with a native engine, and the Node bundles that do the same without a compiler. */
const NATIVE = [
  { name: 'tsrun', entry: 'runtime/src/cli/native-main.ts', bundle: 'tsrun.cjs' },
  { name: 'containerd-shim-tsrun-v2', entry: 'shim/src/cli/native-main.ts', bundle: 'containerd-shim-tsrun-v2.cjs' },
  // Fronts: they answer a few commands and become Node for the others.
  { name: 'tsimg', entry: 'imagetool/src/cli/native-main.ts', bundle: 'tsimg.cjs' },
  { name: 'tsctl', entry: 'shim/src/front/native-main.ts', bundle: 'tsctl.cjs' },
];

if (!existsSync(join(root, 'node_modules/esbuild'))) {
  console.error('The build needs the packages of package-lock.json: npm ci');
  process.exit(1);
}
await locked(build).catch((error) => {
  // esbuild has shown the mistakes in the sources already.
  if (!('errors' in error)) {
    throw error;
  }
  process.exitCode = 1;
});

async function build() {
  const commands = await buildNodeCommands();
  /** @type {string | undefined} */
  let missing;
  for (const command of NATIVE) {
    missing = await buildOne(command);
  }
  const names = new Set([...NATIVE.map(({ name }) => name), ...commands]);
  console.log(`Built in dist/bin: ${[...names].join(', ')}`);
  if (missing) {
    const list = NATIVE.map(({ name }) => name).join(' and ');
    console.log(`${list} are Node commands, which do the same but start slowly: ${missing}. Then: npm run build`);
  }
}

/**
 * The native command, or the Node command in its place and the reason.
 * @param {{ name: string, entry: string, bundle: string }} command @returns {Promise<string | undefined>}
 */
async function buildOne({ name, entry, bundle }) {
  const output = join(dist, 'bin', name);
  try {
    await buildNative(join(root, entry), output);
    return undefined;
  } catch (error) {
    if (!(error instanceof Missing)) {
      throw error;
    }
    writeLauncher(output, join(dist, bundle));
    return error.message;
  }
}
