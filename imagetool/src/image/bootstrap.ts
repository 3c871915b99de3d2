/** A root file system out of this machine's own tools, so that there is an image where there is no registry. */

import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ImageError } from '../base/errors.ts';

export interface HostTools {
  /** In words: what the image is made of. */
  readonly summary: string;
  readonly files: number;
}

export interface HostToolsOptions {
  /** Programs to take along, by name or path. */
  readonly tools: readonly string[];
  /** Where programs are looked for, `:` between. */
  readonly path: string;
}

const BUSYBOX = ['busybox', 'busybox.static'];
const DEFAULT_TOOLS = ['sh', 'cat', 'cp', 'echo', 'env', 'hostname', 'id', 'ln', 'ls', 'mkdir', 'mount', 'mv', 'ps', 'rm', 'sleep', 'true'];
const DIRECTORIES = ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr', 'var'];

/** Fills an empty directory. busybox is all that is needed where there is one. Throws ImageError `no-tools` without a shell, or a tool asked for. */
export async function writeHostTools(directory: string, options: HostToolsOptions): Promise<HostTools> {
  for (const name of ['', ...DIRECTORIES]) {
    mkdirSync(join(directory, name), { recursive: true });
    chmodSync(join(directory, name), 0o755);
  }
  chmodSync(join(directory, 'tmp'), 0o1777);
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\n');
  const copier = new Copier(directory);
  const busybox = BUSYBOX.map((name) => find(name, options.path)).find((path) => path !== undefined);
  const names: string[] = [];
  if (busybox === undefined) {
    for (const name of DEFAULT_TOOLS) if (await copier.take(find(name, options.path), name)) names.push(name);
    if (!names.includes('sh')) throw new ImageError('no-tools', 'this machine has neither busybox nor sh');
  } else {
    await copier.take(busybox, 'busybox');
    names.push('busybox');
    for (const applet of await appletsOf(busybox)) symlinkSync('busybox', join(directory, 'bin', applet));
  }
  for (const tool of options.tools) {
    const path = tool.includes('/') ? tool : find(tool, options.path);
    const name = basename(tool);
    if (!(await copier.take(path, name))) throw new ImageError('no-tools', `this machine has no ${tool}`);
    names.push(name);
  }
  return { summary: names.join(', '), files: copier.files };
}

class Copier {
  readonly #directory: string;
  readonly #done = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get files(): number {
    return this.#done.size;
  }

  /** A program and the libraries it needs. False where there is none. */
  async take(path: string | undefined, name: string): Promise<boolean> {
    if (path === undefined || !existsSync(path)) return false;
    this.#copy(path, `/bin/${name}`);
    for (const library of await librariesOf(path)) this.#copy(library, library);
    return true;
  }

  #copy(from: string, to: string): void {
    if (this.#done.has(to)) return;
    this.#done.add(to);
    const target = join(this.#directory, to);
    mkdirSync(dirname(target), { recursive: true });
    const source = realpathSync(from);
    // What is asked for by name takes the place of busybox's.
    rmSync(target, { force: true });
    copyFileSync(source, target);
    chmodSync(target, 0o755);
    // The same tools make the same image.
    const { mtime } = statSync(source);
    utimesSync(target, mtime, mtime);
  }
}

/** The shared libraries of a program and their loader, as the loader itself tells; none of a static one. */
async function librariesOf(path: string): Promise<string[]> {
  const text = await output('ldd', [path]);
  return [...text.matchAll(/(?:=>\s*|^\s*)(\/\S+)/gm)].flatMap((match) => (match[1] === undefined ? [] : [match[1]]));
}

async function appletsOf(busybox: string): Promise<string[]> {
  const names = (await output(busybox, ['--list'])).split('\n').filter((name) => /^[\w[.-]+$/.test(name) && name !== 'busybox');
  return [...new Set([...names, 'sh'])];
}

/** What a program prints; nothing where it fails or is missing. */
async function output(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { env: { ...process.env, LC_ALL: 'C' } })).stdout;
  } catch {
    return '';
  }
}

function find(name: string, path: string): string | undefined {
  return path
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, name))
    .find((file) => existsSync(file));
}
