/** Node and the bundle for it, by absolute paths that the build puts in place of these names: the environment has no say in what is run. */
import type { Engine } from '../bootstrap/start.ts';

declare const TSRUN_NODE: string;
declare const TSRUN_DIST: string;
declare const TSRUN_SHIM_FLAGS: readonly string[];

export const BUNDLE_FOLDER = TSRUN_DIST;

export const ENGINE: Engine = {
  path: TSRUN_NODE,
  argv: [TSRUN_NODE, '--no-warnings', ...TSRUN_SHIM_FLAGS, `${TSRUN_DIST}/containerd-shim-tsrun-v2.cjs`],
};
