// What `--version` says: the version of package.json and the commit that is checked out.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './files.mjs';

/** Names that stand for texts in the sources: see runtime/src/cli/version.ts. @returns {Record<string, string>} */
export function versionDefines() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const git = spawnSync('git', ['rev-parse', '--verify', 'HEAD'], { cwd: root, encoding: 'utf8' });
  const commit = git.status === 0 ? git.stdout.trim() : 'unknown';
  return { TSRUN_VERSION: JSON.stringify(version), TSRUN_COMMIT: JSON.stringify(commit) };
}
