/** ADD's files from elsewhere: URLs and git repositories, fetched into a directory of the step; archives, unpacked there. */

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, rmSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { TarError } from '../../archive/tar-entry.ts';
import { ImageError } from '../../base/errors.ts';
import { unpackLayer } from '../../layer/unpack.ts';

const run = promisify(execFile);
const URL_SCHEME = /^https?:\/\//;

export function isGitSource(source: string): boolean {
  return /^(?:git@|git:\/\/|ssh:\/\/)/.test(source) || (URL_SCHEME.test(source) && /\.git(?:#.*)?$/.test(source));
}

export function isUrl(source: string): boolean {
  return URL_SCHEME.test(source);
}

export interface FetchedFile {
  readonly path: string;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  readonly name: string;
}

/** Throws ImageError `add` for what cannot be fetched, and `checksum`. */
export async function fetchUrl(url: string, directory: string, checksum: string | undefined, signal: AbortSignal): Promise<FetchedFile> {
  const { request } = await import('undici');
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
  if (name === '') throw new ImageError('add', `${url} has no file name at its end`);
  let at = url;
  for (let hops = 0; hops < 10; hops += 1) {
    const response = await request(at, { signal });
    const location = response.headers['location'];
    if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
      await response.body.dump();
      at = new URL(location, at).href;
      continue;
    }
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new ImageError('add', `${url}: the server answers ${response.statusCode}`);
    }
    const path = join(directory, name.replaceAll('/', '_'));
    const digest = await save(response.body, path);
    checkDigest(url, digest, checksum);
    const modified = Date.parse(String(response.headers['last-modified'] ?? ''));
    const seconds = Number.isNaN(modified) ? 0 : modified / 1000;
    utimesSync(path, seconds, seconds);
    return { path, digest, name };
  }
  throw new ImageError('add', `${url} redirects in circles`);
}

async function save(body: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = createWriteStream(path, { mode: 0o600 });
  for await (const chunk of body) {
    hash.update(chunk);
    file.write(chunk);
  }
  file.end();
  await finished(file);
  return hash.digest('hex');
}

function checkDigest(url: string, digest: string, checksum: string | undefined): void {
  if (checksum === undefined || checksum === `sha256:${digest}`) return;
  throw new ImageError('checksum', `${url} is sha256:${digest}, not ${checksum} as --checksum says`);
}

export interface FetchedRepository {
  readonly directory: string;
  readonly commit: string;
}

/** `URL#REF:DIRECTORY`. Uses the git of this machine. Throws ImageError `git`. */
export async function fetchRepository(
  source: string,
  directory: string,
  options: { readonly keepGitDirectory: boolean; readonly commit?: string; readonly signal: AbortSignal },
): Promise<FetchedRepository> {
  const [url = '', fragment = ''] = source.split('#');
  const [ref = '', subdirectory = ''] = fragment.split(':');
  mkdirSync(directory, { recursive: true });
  const git = async (...args: string[]): Promise<string> => {
    try {
      const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
      return (await run('git', ['-C', directory, ...args], { env, signal: options.signal })).stdout.trim();
    } catch (cause) {
      const detail = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
      throw new ImageError('git', `git ${args[0]} of ${url}: ${detail}`, { cause });
    }
  };
  await git('init', '--quiet');
  await git('remote', 'add', 'origin', url);
  await git('fetch', '--quiet', '--depth=1', 'origin', ref === '' ? 'HEAD' : ref);
  await git('checkout', '--quiet', 'FETCH_HEAD');
  const commit = await git('rev-parse', 'HEAD');
  if (options.commit !== undefined && !commit.startsWith(options.commit)) {
    throw new ImageError('checksum', `${url} is at commit ${commit}, not ${options.commit}`);
  }
  if (!options.keepGitDirectory) rmSync(join(directory, '.git'), { recursive: true, force: true });
  return { directory: join(directory, ...subdirectory.split('/').filter((part) => part !== '' && part !== '..')), commit };
}

type Packing = 'tar' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** Undefined: not an archive that ADD unpacks. */
export async function packingOf(hostPath: string): Promise<Packing | undefined> {
  const file = await open(hostPath, 'r');
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, 512, 0);
    const is = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
    if (is(0x1f, 0x8b)) return 'gzip';
    if (is(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
    if (is(0x42, 0x5a, 0x68)) return 'bzip2';
    if (is(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
    return bytesRead === 512 && head.toString('latin1', 257, 262) === 'ustar' ? 'tar' : undefined;
  } finally {
    await file.close();
  }
}

/** Unpacks into an empty directory. False where a compressed file turns out to be no archive: then it is a file to be copied. */
export async function unpackArchive(sys: Sys, hostPath: string, packing: Packing, directory: string): Promise<boolean> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const inflated = packing === 'bzip2' || packing === 'xz' ? inflate(packing, hostPath) : createReadStream(hostPath);
  try {
    await unpackLayer(sys, inflated, directory, { whiteouts: 'remove', isRootless: false });
    return true;
  } catch (error) {
    if (!(error instanceof TarError) || packing === 'tar') throw error;
    rmSync(directory, { recursive: true, force: true });
    return false;
  }
}

async function* inflate(command: 'bzip2' | 'xz', hostPath: string): AsyncGenerator<Uint8Array, void, void> {
  const child = spawn(command, ['-dc', hostPath], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', (cause) => fail(new ImageError('add', `${hostPath} needs ${command}, which this machine lacks`, { cause })));
    child.once('close', done);
  });
  ended.catch(() => undefined);
  for await (const chunk of child.stdout) if (chunk instanceof Uint8Array) yield chunk;
  const code = await ended;
  if (code !== 0) throw new ImageError('add', `${command} cannot read ${hostPath}: exit code ${code}`);
}

export function textDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
