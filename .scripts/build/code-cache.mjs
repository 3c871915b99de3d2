// Compiles a bundle for Node beforehand: V8 then starts with bytecode in the place of 300 KB of text, which saves 15 ms of every start.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { replaceFile, run } from './files.mjs';

/** @typedef {(start: (words: string[]) => void, program: string) => void} Training has a command run, as often as it wants to, by the words of its command line */

/**
 * Writes `path` as a starter of the bundle's text and its bytecode, which lie beside it. V8 refuses bytecode of another version or other flags and then
 * compiles the text, but it takes a text of the same length for the same: so the names of both files hold the text's digest.
 * @param {string} path @param {string} code a CommonJS script in ASCII
 * @param {{ flags?: readonly string[], training?: Training | undefined, program?: string }} [options] the flags that Node will run it with; what it is
 * trained with, which is given the program
 */
export function writeWithCodeCache(path, code, { flags = [], training, program = '' } = {}) {
  const text = `(function (require, module, exports) {${code}\n})`;
  const folder = join(dirname(path), `.${basename(path, '.cjs')}`);
  mkdirSync(folder, { recursive: true });
  const [digest = ''] = training === undefined ? compiledInto(folder, [text], flags) : [trainedInto(folder, text, training, program)];
  replaceFile(path, starter(join(folder, `${digest}.js`), join(folder, `${digest}.${process.version}.cache`)));
  for (const old of readdirSync(folder)) {
    if (!old.startsWith(digest)) {
      rmSync(join(folder, old), { force: true });
    }
  }
}

/**
 * Writes scripts' texts and their bytecode, named by digests, which are returned.
 * @param {string} folder @param {readonly string[]} texts in ASCII @param {readonly string[]} [flags] those that Node will run them with
 */
export function compiledInto(folder, texts, flags = []) {
  const digests = texts.map((text) => digestOf(COMPILE, flags.join(), text));
  const missing = digests.flatMap((digest, index) => {
    const [script, cache] = [join(folder, `${digest}.js`), join(folder, `${digest}.${process.version}.cache`)];
    if (existsSync(script) && existsSync(cache)) return [];
    replaceFile(script, texts[index] ?? '');
    return [script, cache];
  });
  if (missing.length > 0) run(process.execPath, ['--no-warnings', ...flags, '-e', COMPILE, ...missing]);
  return digests;
}

/**
 * As `compiledInto`, but the bytecode is that of the functions which the training has called: half as much to load, and to lay out in memory, which is
 * most of what a start takes. The others are compiled when they are called.
 * @param {string} folder @param {string} text in ASCII @param {Training} training @param {string} program
 */
function trainedInto(folder, text, training, program) {
  const digest = digestOf(TRAIN, String(training), text);
  const [script, cache] = [join(folder, `${digest}.js`), join(folder, `${digest}.${process.version}.cache`)];
  if (existsSync(script) && existsSync(cache)) return digest;
  const beginning = `${cache}.${process.pid}`;
  replaceFile(script, text);
  training((words) => {
    spawnSync(process.execPath, ['--no-warnings', '-e', TRAIN, '--', script, beginning, ...words], { stdio: 'ignore', timeout: 60_000 });
  }, program);
  if (existsSync(beginning)) renameSync(beginning, cache);
  return digest;
}

/** @param {readonly string[]} words */
function digestOf(...words) {
  const hash = createHash('sha256');
  for (const word of words) hash.update(word);
  return hash.digest('hex').slice(0, 16);
}

/** Runs a script, and adds what it called to its bytecode. */
const TRAIN = `
  const [filename, cache, ...words] = process.argv.slice(1), fs = require('node:fs'), { Script } = require('node:vm');
  let cachedData;
  try {
    cachedData = fs.readFileSync(cache);
  } catch {}
  const script = new Script(fs.readFileSync(filename, 'latin1'), { filename, cachedData });
  process.argv = [process.execPath, filename, ...words];
  process.on('exit', () => {
    fs.writeFileSync(cache + '.new', script.createCachedData());
    fs.renameSync(cache + '.new', cache);
  });
  script.runInThisContext()(require, module, exports);
`;

/** All functions, not only those that run at once: a lazy function is compiled on its first call, which comes soon. The flag does not mark the bytecode. */
const COMPILE = `
  const files = process.argv.slice(1), v8 = require('node:v8'), fs = require('node:fs'), { Script } = require('node:vm');
  for (let at = 0; at < files.length; at += 2) {
    const [filename, cache] = files.slice(at, at + 2);
    v8.setFlagsFromString('--no-lazy');
    const compiled = new Script(fs.readFileSync(filename, 'latin1'), { filename });
    v8.setFlagsFromString('--lazy');
    fs.writeFileSync(cache + '.new', compiled.createCachedData());
    fs.renameSync(cache + '.new', cache);
  }
`;

/** @param {string} script @param {string} cache */
function starter(script, cache) {
  return `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const filename = ${JSON.stringify(script)};
let cachedData;
try {
  cachedData = readFileSync(${JSON.stringify(cache)});
} catch {}
new Script(readFileSync(filename, 'latin1'), { filename, cachedData }).runInThisContext()(require, module, exports);
`;
}
