// Compiles a bundle for Node beforehand: V8 then starts with bytecode in the place of 300 KB of text, which saves 15 ms of every start.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { replaceFile, run } from './files.mjs';

/** @typedef {(start: (words: string[]) => void, program: string) => void} Training has a command run, as often as it wants to, by the words of its command line */

/**
 * @typedef {object} CacheOptions
 * @property {readonly string[]} [flags] those that Node will run it with
 * @property {{ code: string, words: readonly string[] } | undefined} [quick] a script that is run before where one of the words is on the command line; it
 * ends the process, or leaves everything to the other. Needs a training, which has bytecode made for each of the words
 * @property {Training | undefined} [training] what the functions that are kept as bytecode are found by; without it all are
 * @property {string | undefined} [program] what the training gets
 */

/**
 * Writes `path` as a starter of the bundle's text and its bytecode, which lie beside it. V8 refuses bytecode of another version or other flags and then
 * compiles the text, but it takes a text of the same length for the same: so the names of both files hold the text's digest.
 * @param {string} path @param {string} code a CommonJS script in ASCII @param {CacheOptions} [options]
 */
export function writeWithCodeCache(path, code, { flags = [], quick, training, program = '' } = {}) {
  const texts = (quick === undefined ? [code] : [code, quick.code]).map((one) => `(function (require, module, exports) {${one}\n})`);
  const folder = join(dirname(path), `.${basename(path, '.cjs')}`);
  mkdirSync(folder, { recursive: true });
  const digests =
    training === undefined
      ? compiledInto(folder, texts, flags)
      : trainedInto(folder, texts, { training, program, words: quick?.words ?? [] });
  replaceFile(path, starter(folder, digests, quick?.words ?? []));
  for (const old of readdirSync(folder)) {
    if (!digests.some((digest) => old.startsWith(digest))) {
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
 * most of what a start takes. The others are compiled when they are called. Of the second of two scripts, which is run first, each of the words has its own.
 * @param {string} folder @param {readonly string[]} texts in ASCII
 * @param {{ training: Training, program: string, words: readonly string[] }} how
 */
function trainedInto(folder, texts, { training, program, words }) {
  const digests = texts.map((text) => digestOf(TRAIN, String(training), ...words, ...texts, text));
  const [whole = '', quick = ''] = digests.map((digest) => join(folder, digest));
  const all = [whole, ...words.map((word) => `${quick}.${word}`)].map((path) => `${path}.${process.version}.cache`);
  if (digests.every((digest) => existsSync(join(folder, `${digest}.js`))) && all.every((cache) => existsSync(cache))) return digests;
  for (const [index, digest] of digests.entries()) replaceFile(join(folder, `${digest}.js`), texts[index] ?? '');
  const ending = `.${process.version}.cache.${process.pid}`;
  training((line) => {
    const word = words.find((one) => line.includes(one));
    const scripts = word === undefined ? [] : [{ script: `${quick}.js`, cache: `${quick}.${word}${ending}` }];
    const chain = JSON.stringify([...scripts, { script: `${whole}.js`, cache: `${whole}${ending}` }]);
    spawnSync(process.execPath, ['--no-warnings', '-e', TRAIN, '--', chain, ...line], { stdio: 'ignore', timeout: 60_000 });
  }, program);
  for (const cache of all) if (existsSync(`${cache}.${process.pid}`)) renameSync(`${cache}.${process.pid}`, cache);
  return digests;
}

/** @param {readonly string[]} words */
function digestOf(...words) {
  const hash = createHash('sha256');
  for (const word of words) hash.update(word);
  return hash.digest('hex').slice(0, 16);
}

/** Runs scripts, and adds what each called to its bytecode. */
const TRAIN = `
  const [chain, ...words] = process.argv.slice(1), fs = require('node:fs'), { Script } = require('node:vm');
  process.argv = [process.execPath, 'tsrun', ...words];
  for (const { script: filename, cache } of JSON.parse(chain)) {
    let cachedData;
    try {
      cachedData = fs.readFileSync(cache);
    } catch {}
    const script = new Script(fs.readFileSync(filename, 'latin1'), { filename, cachedData });
    process.on('exit', () => {
      fs.writeFileSync(cache + '.new', script.createCachedData());
      fs.renameSync(cache + '.new', cache);
    });
    script.runInThisContext()(require, module, exports);
  }
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

/**
 * @param {string} folder @param {readonly string[]} digests that of the whole, and of the quick script where there is one
 * @param {readonly string[]} words those that the latter may know
 */
function starter(folder, [whole = '', quick], words) {
  const quickly = `const word = process.argv.find((one) => ${JSON.stringify(words)}.includes(one));
if (word !== undefined) run('${quick}', '.' + word);
`;
  return `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
function run(digest, word) {
  const path = ${JSON.stringify(`${folder}/`)} + digest;
  const filename = path + '.js';
  let cachedData;
  try {
    cachedData = readFileSync(path + word + '.${process.version}.cache');
  } catch {}
  new Script(readFileSync(filename, 'latin1'), { filename, cachedData }).runInThisContext()(require, module, exports);
}
${quick === undefined ? '' : quickly}run('${whole}', '');
`;
}
