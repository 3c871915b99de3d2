// What the build tells the sources: the version of package.json and the commit that is checked out, where Node and the bundles are, its flags.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist, root } from './files.mjs';
import { SHIM_FLAGS } from './shim-flags.mjs';

/** Names that stand for texts in the sources: see runtime/src/cli/version.ts and shim/src/cli/engine.ts. @returns {Record<string, string>} */
export function versionDefines() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const git = spawnSync('git', ['rev-parse', '--verify', 'HEAD'], { cwd: root, encoding: 'utf8' });
  const commit = git.status === 0 ? git.stdout.trim() : 'unknown';
  return {
    TSRUN_VERSION: JSON.stringify(version),
    TSRUN_COMMIT: JSON.stringify(commit),
    TSRUN_NODE: JSON.stringify(process.execPath),
    TSRUN_DIST: JSON.stringify(dist),
    TSRUN_SHIM_FLAGS: JSON.stringify(SHIM_FLAGS),
  };
}
