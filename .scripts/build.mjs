// npm run build: everything under dist/, the commands in dist/bin/.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dist, locked, Missing, root } from './build/files.mjs';
import { buildNative } from './build/native.mjs';
import { buildNodeCommands, writeLauncher } from './build/node-commands.mjs';

const entry = join(root, 'runtime/src/cli/native-main.ts');
const native = join(dist, 'bin/tsrun');

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
  const missing = await buildTsrun();
  console.log(`Built in dist/bin: ${[...(existsSync(native) ? ['tsrun'] : []), ...commands].join(', ')}`);
  if (missing) {
    console.log(`dist/bin/tsrun is the Node command, which does the same but starts slowly: ${missing}. Then: npm run build`);
  }
}

/** The native command, or the Node command in its place and the reason. @returns {Promise<string | undefined>} */
async function buildTsrun() {
  try {
    await buildNative(entry, native);
    return undefined;
  } catch (error) {
    if (!(error instanceof Missing)) {
      throw error;
    }
    writeLauncher(native, join(dist, 'tsrun.cjs'));
    return error.message;
  }
}
