/** Where the containers' state is kept. */
import { RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { mkdir, readFileIfExists } from '../linux/files.ts';
import { S_IFDIR, S_IFMT } from '../linux/open-flags.ts';
import { lstat } from '../linux/stat.ts';
import type { Sys } from '../sys/sys.ts';
import { absolutePath, environmentVariable } from './paths.ts';

const SYSTEM_ROOT = '/run/tsrun';
const PRIVATE = 0o700;
const ALL_IDS = /^\s*0\s+0\s+4294967295\s*$/;

/** `--root`; else `/run/tsrun` for root, and a directory of the user's own for everybody else. */
export function stateRoot(sys: Sys, option: string | undefined): string {
  if (option !== undefined && option !== '') return absolutePath(sys, option);
  if (!hasOwnRoot(sys)) return SYSTEM_ROOT;
  const runtime = environmentVariable(sys, 'XDG_RUNTIME_DIR');
  return runtime === undefined ? temporaryRoot(sys) : `${absolutePath(sys, runtime)}/tsrun`;
}

/** Root of a user namespace that a user made is that user, unless it says it is root (as in a container): the same rule as runc's. */
function hasOwnRoot(sys: Sys): boolean {
  if (tryCall(sys, 'geteuid') !== 0) return true;
  if (environmentVariable(sys, 'XDG_RUNTIME_DIR') === undefined) return false;
  if (ALL_IDS.test(readFileIfExists(sys, '/proc/self/uid_map') ?? '0 0 4294967295')) return false;
  return environmentVariable(sys, 'USER') !== 'root';
}

/** In /tmp anybody can make a directory of any name first: it must be ours and ours alone. */
function temporaryRoot(sys: Sys): string {
  const uid = tryCall(sys, 'geteuid');
  const path = `/tmp/tsrun-${uid}`;
  mkdir(sys, path, PRIVATE);
  const status = lstat(sys, path);
  if (status !== undefined && (status.mode & S_IFMT) === S_IFDIR && status.uid === uid && (status.mode & 0o077) === 0) return path;
  throw new RuntimeError('state-root', `${path} is not a directory that only user ${uid} can use`, {
    hint: 'set XDG_RUNTIME_DIR, or name another directory with --root',
  });
}
