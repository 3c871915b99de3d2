// A Node command in parts: what a command does not need is not read. Loading 2 MB of text with 3 MB of bytecode takes longer than the start of Node itself.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { compiledInto } from './code-cache.mjs';
import { replaceFile } from './files.mjs';

/**
 * Writes `output` as a starter, and beside it the parts: a file for each of `packs`, which are lists of modules that are loaded at the start or by import(), with what they
 * import; one for what the same packs share; and one for every other piece that esbuild cuts out. A piece is in one file only, so that a class is one class.
 * @param {string} main @param {string} output @param {readonly (readonly string[])[]} packs paths as esbuild has them, from the root
 * @param {import('esbuild').BuildOptions} options
 */
export async function splitForNode(main, output, packs, options) {
  const { build, transform } = await import('esbuild');
  const folder = join(dirname(output), `.${basename(output, '.cjs')}`);
  const { outputFiles = [], metafile } = await build({
    ...options,
    entryPoints: [main],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    write: false,
    metafile: true,
  });
  const outputs = Object.fromEntries(Object.entries(metafile?.outputs ?? {}).map(([path, one]) => [basename(path), one]));
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      format: 'cjs',
      target: 'node20',
      platform: 'node',
      supported: { 'dynamic-import': false },
      charset: 'ascii',
      // Half of the text; names stay, for whoever reads a stack.
      minifyWhitespace: true,
      minifySyntax: true,
    });
    texts.set(basename(path), code);
  }
  const groups = groupsOf(outputs, packs);
  mkdirSync(folder, { recursive: true });
  /** @type {Record<string, number>} */
  const homes = {};
  const scripts = groups.map((group, index) => {
    for (const name of group) homes[name] = index;
    const pieces = group.map((name) => `${JSON.stringify(name)}: function (require, module, exports) {${texts.get(name) ?? ''}\n}`);
    return `({${pieces.join(',\n')}})`;
  });
  const files = compiledInto(folder, scripts);
  const first = Object.entries(outputs).find(([, { entryPoint = '' }]) => entryPoint !== '' && main.endsWith(entryPoint))?.[0] ?? '';
  replaceFile(output, starter({ folder, files, homes, first }));
  for (const old of readdirSync(folder)) {
    if (!files.some((digest) => old.startsWith(digest))) rmSync(join(folder, old), { force: true });
  }
}

/** @typedef {Record<string, import('esbuild').Metafile['outputs'][string]>} Outputs */

/**
 * The first pack, which is always read, has all that it reaches; a piece that several of the others reach is in a file with those that the same ones do.
 * @param {Outputs} outputs @param {readonly (readonly string[])[]} packs @returns {string[][]}
 */
function groupsOf(outputs, packs) {
  const reached = packs.map((modules) => {
    /** @type {Set<string>} */
    const names = new Set();
    for (const module of modules) {
      const name = Object.keys(outputs).find((one) => outputs[one]?.entryPoint === module);
      if (name === undefined) throw new Error(`${module} is no module that is loaded by itself`);
      reach(outputs, name, names);
    }
    return names;
  });
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const name of Object.keys(outputs)) {
    const by = reached.flatMap((names, index) => (names.has(name) ? [index] : []));
    const home = by[0] === 0 ? '0' : by.join();
    const key = by.length === 0 ? name : home;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()];
}

/** @param {Outputs} outputs @param {string} name @param {Set<string>} names */
function reach(outputs, name, names) {
  if (names.has(name)) return;
  names.add(name);
  for (const { path, kind, external = false } of outputs[name]?.imports ?? []) {
    if (kind === 'import-statement' && !external) reach(outputs, basename(path), names);
  }
}

/** @param {{ folder: string, files: readonly string[], homes: Record<string, number>, first: string }} parts */
function starter({ folder, files, homes, first }) {
  return `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const FOLDER = ${JSON.stringify(`${folder}/`)};
const FILES = ${JSON.stringify(files)};
const HOMES = ${JSON.stringify(homes)};
const VERSION = ${JSON.stringify(process.version)};
const packs = [];
const modules = Object.create(null);
function packAt(index) {
  const filename = FOLDER + FILES[index] + '.js';
  let cachedData;
  try {
    cachedData = readFileSync(FOLDER + FILES[index] + '.' + VERSION + '.cache');
  } catch {}
  return new Script(readFileSync(filename, 'latin1'), { filename, cachedData }).runInThisContext();
}
function load(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const home = HOMES[name];
  if (home === undefined) return require(path);
  let module = modules[name];
  if (module === undefined) {
    module = modules[name] = { exports: {} };
    packs[home] ??= packAt(home);
    packs[home][name](load, module, module.exports);
  }
  return module.exports;
}
load(${JSON.stringify(first)});
`;
}
