/** Files of git repositories, fetched by the git of this machine. */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ImageError, isNodeError } from '../../base/errors.ts';

const run = promisify(execFile);
/** The shell's exit code for a program that is not there. */
const NOT_FOUND = 127;

export interface FetchedRepository {
  readonly directory: string;
  readonly commit: string;
}

export interface RepositoryOptions {
  readonly keepGitDirectory: boolean;
  /** The beginning of the commit it has to be. */
  readonly commit?: string;
  readonly signal: AbortSignal;
}

/** `URL#REF:DIRECTORY`, into a directory that is made. Throws ImageError `git`, `checksum`. */
export async function fetchRepository(source: string, directory: string, options: RepositoryOptions): Promise<FetchedRepository> {
  const { url, ref, subdirectory } = parseSource(source);
  mkdirSync(directory, { recursive: true });
  const git = async (...args: string[]): Promise<string> => {
    try {
      const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
      // git's files have the modes that the umask leaves them, and modes are part of the image.
      const words = ['-c', 'umask 022 && exec git "$@"', 'git', '-C', directory, ...args];
      return (await run('sh', words, { env, signal: options.signal })).stdout.trim();
    } catch (cause) {
      options.signal.throwIfAborted();
      throw new ImageError('git', `git ${args[0]} of ${url}: ${failure(cause)}`, { cause });
    }
  };
  await git('init', '--quiet');
  await git('remote', 'add', 'origin', url);
  await git('checkout', '--quiet', '--detach', await fetchCommit(git, ref));
  if (existsSync(join(directory, '.gitmodules'))) await git('submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1');
  const commit = await git('rev-parse', 'HEAD');
  if (options.commit !== undefined && !commit.startsWith(options.commit)) {
    throw new ImageError('checksum', `${url} is at commit ${commit}, not ${options.commit}`);
  }
  if (!options.keepGitDirectory) rmSync(join(directory, '.git'), { recursive: true, force: true });
  return { directory: inside(directory, subdirectory, source), commit };
}

function parseSource(source: string): { readonly url: string; readonly ref: string; readonly subdirectory: string } {
  const [url = '', fragment = ''] = source.split('#');
  const [ref = '', subdirectory = ''] = fragment.split(':');
  return { url: url.startsWith('github.com/') ? `https://${url}` : url, ref: ref === '' ? 'HEAD' : ref, subdirectory };
}

/** Returns what to check out. The one commit is fetched, if the server gives it; else, as of an abbreviated id or from a server of plain files, more. */
async function fetchCommit(git: (...args: string[]) => Promise<string>, ref: string): Promise<string> {
  try {
    await git('fetch', '--quiet', '--depth=1', 'origin', ref);
    return 'FETCH_HEAD';
  } catch (error) {
    if (/^[0-9a-f]{7,64}$/.test(ref)) {
      await git('fetch', '--quiet', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*');
      return await git('rev-parse', '--verify', `${ref}^{commit}`);
    }
    if (!(error instanceof Error && error.message.includes('dumb http'))) throw error;
    await git('fetch', '--quiet', 'origin', ref);
    return 'FETCH_HEAD';
  }
}

/** Links of the repository do not lead out of it. */
function inside(root: string, subdirectory: string, source: string): string {
  try {
    const [real, path] = [realpathSync(root), realpathSync(join(root, subdirectory))];
    if ((path === real || path.startsWith(`${real}/`)) && statSync(path).isDirectory()) return path;
  } catch (error) {
    if (!isNodeError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
  }
  throw new ImageError('git', `${source}: the repository has no directory ${JSON.stringify(subdirectory)}`);
}

function failure(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && cause.code === NOT_FOUND) return 'this machine has no git';
  return cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
}
