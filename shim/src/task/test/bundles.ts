/** Bundles that a test starts as threads or processes. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** Where bundles find koffi. The caller removes it. */
export function bundleDirectory(): string {
  return mkdtempSync(join(__dirname, '../../../../node_modules/.tsrun-task-'));
}

/** Returns the path of the bundle of a module of this folder's parent. */
export function bundle(directory: string, module: string): string {
  const outfile = join(directory, `${module.replaceAll('/', '-')}.cjs`);
  buildSync({
    ...{ entryPoints: [join(__dirname, '..', `${module}.ts`)], outfile, bundle: true, format: 'cjs', platform: 'node', target: 'node20' },
    ...{ external: ['koffi'], logLevel: 'error' },
  });
  return outfile;
}
