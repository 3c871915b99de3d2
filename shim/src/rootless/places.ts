/**
 * Where a user's namespaces and the sockets in them are found, in the directory that the user's session has, and that is gone with the machine's run:
 *
 *     $XDG_RUNTIME_DIR/tsrun/holder     which process holds the namespaces
 *                            lock       flock: who makes them
 *                            shim/ s/   what lies in /run/tsrun-shim and /run/containerd/s for root
 */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerError } from '../container/errors.ts';
import { isMissing } from '../container/files.ts';

export interface RootlessPlaces {
  readonly session: string;
  readonly directory: string;
  readonly holder: string;
  readonly lock: string;
  readonly shimHome: string;
  readonly shimSockets: string;
  /** iptables wants to lock a file in root's /run. */
  readonly xtablesLock: string;
}

export function rootlessPlaces(session: string): RootlessPlaces {
  const directory = join(session, 'tsrun');
  return {
    session,
    directory,
    holder: join(directory, 'holder'),
    lock: join(directory, 'lock'),
    shimHome: join(directory, 'shim'),
    shimSockets: join(directory, 's'),
    xtablesLock: join(directory, 'xtables.lock'),
  };
}

const OTHERS_MAY_WRITE = 0o022;

/**
 * The directory of the user's session (XDG Base Directory Specification): it must be the user's, or others could put sockets and namespaces of theirs in it.
 * @throws ContainerError unsupported
 */
export function sessionDirectory(uid: number, env: Readonly<Record<string, string | undefined>>): string {
  const given = env['XDG_RUNTIME_DIR'];
  const isGiven = given !== undefined && given !== '';
  const path = isGiven ? given : `/run/user/${uid}`;
  const problem = problemOf(path, uid);
  if (problem === undefined) return path;
  const what = isGiven ? `XDG_RUNTIME_DIR is ${path}, which ${problem}` : `XDG_RUNTIME_DIR is not set, and /run/user/${uid} ${problem}`;
  throw new ContainerError('unsupported', `containers of a user need a directory of the user's session: ${what}`, {
    hint: "Log in as the user (ssh, or machinectl shell; not su or sudo -u), let root say 'loginctl enable-linger USER', or set XDG_RUNTIME_DIR to a directory of the user's own, mode 0700.",
  });
}

function problemOf(path: string, uid: number): string | undefined {
  if (!path.startsWith('/')) return 'is no absolute path';
  try {
    const status = statSync(path);
    if (!status.isDirectory()) return 'is no directory';
    if (status.uid !== uid) return 'belongs to somebody else';
    return (status.mode & OTHERS_MAY_WRITE) === 0 ? undefined : 'others may write to';
  } catch (error) {
    if (isMissing(error)) return 'is not there';
    throw error;
  }
}
