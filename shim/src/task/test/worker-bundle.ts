/** The bundle of the operator's threads, made for a test. */
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** Returns its path, in `directory`. */
export function bundleWorker(directory: string): string {
  const outfile = join(directory, 'worker.cjs');
  buildSync({
    entryPoints: [join(__dirname, '../operations/worker.ts')],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    external: ['koffi'],
    nodePaths: [join(__dirname, '../../../../node_modules')],
    logLevel: 'error',
  });
  return outfile;
}
