// Small things that every part of the build needs: paths, running tools, replacing files only when they change.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
export const dist = join(root, 'dist');
/** What the build makes on its way; may be deleted at any time. */
export const work = join(dist, '.build');

/** A reason, for the user, why something cannot be made here. */
export class Missing extends Error {}

/**
 * Runs a tool and returns what it printed; its errors are the caller's exception.
 * @param {string} command @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (result.error) {
    throw result.error;
  }
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed (${result.signal ?? result.status}):\n${result.stderr}${result.stdout}`);
  }
  return String(result.stdout);
}

/** @param {string} command */
export function hasCommand(command) {
  return (process.env['PATH'] ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, command)));
}

/**
 * Puts a file in place in one step, so that a command which is running, or starting, has the old one or the new one.
 * @param {string} path @param {string | Uint8Array} content @param {number} [mode]
 */
export function replaceFile(path, content, mode = 0o644) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  if (existsSync(path) && readFileSync(path).equals(bytes)) {
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, bytes);
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}

/**
 * Calls `make(temporary path)` unless `output` was made before from the same inputs: file contents and other words that matter.
 * @param {string} output @param {{ files: string[], words?: readonly string[] }} inputs @param {(temporary: string) => void} make
 */
export function makeFrom(output, { files, words = [] }, make) {
  const hash = createHash('sha256').update(JSON.stringify(words));
  for (const file of files) {
    hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  }
  const digest = hash.digest('hex');
  const stamp = join(work, 'stamps', output.replace(/\W+/g, '-'));
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) {
    return;
  }
  mkdirSync(dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}`;
  try {
    make(temporary);
    renameSync(temporary, output);
  } finally {
    rmSync(temporary, { force: true });
  }
  replaceFile(stamp, digest);
}

/**
 * One build at a time in a checkout: tests, benchmarks and people may all start one.
 * @template T @param {() => Promise<T>} action @returns {Promise<T>}
 */
export async function locked(action) {
  mkdirSync(work, { recursive: true });
  const lock = join(work, 'lock');
  for (let waited = 0; !takeLock(lock); waited += 100) {
    if (waited > 120_000) {
      throw new Error(`another build holds ${lock}; remove the file if there is none`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  try {
    return await action();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** @param {string} lock */
function takeLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    removeStale(lock);
    return false;
  }
}

/** @param {string} lock */
function removeStale(lock) {
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0 && !existsSync(`/proc/${holder}`)) {
      rmSync(lock, { force: true });
    }
  } catch {
    // The holder has just finished.
  }
}
