// Holds the borders between the rooms of this repository: who may import whom, where code must be synchronous, and what lies at the top.
// Biome's noRestrictedImports sees only the text of an import; this looks at the file that it leads to.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const TOOLS = ['runtime', 'imagetool', 'shim', 'conformance', 'specs'];
const TOP_LEVEL = [...TOOLS, 'README.md', 'LICENSE', 'package.json', 'package-lock.json', 'tsconfig.json', 'node_modules', 'dist'];

const DOMAINS = ['spec', 'plan', 'rootfs', 'cgroups', 'seccomp', 'devices', 'intel-rdt', 'hooks', 'console', 'process', 'criu', 'state'];

/**
 * From the top down: a file may import its own row and the rows below it. A row with `strangers` holds folders that do not know each other.
 * @type {Record<string, { folders: string[], why: string, strangers?: boolean }[]>}
 */
const LAYERS = {
  'runtime/src': [
    { folders: ['cli'], why: 'the command line translates to operations; nobody stands on it' },
    { folders: ['operations'], why: 'an operation says what a verb means; its parts do not know which verb they serve' },
    { folders: DOMAINS, why: 'a domain is carried out by init programs, which do not know what they are for' },
    { folders: ['init'], why: 'typed system calls know nothing of containers' },
    { folders: ['linux'], why: 'Sys is the interface of the engine and stands on base alone' },
    { folders: ['sys'], why: 'everything may stand on base, so base stands on nothing' },
    { folders: ['base'], why: '' },
  ],
  'imagetool/src': [
    { folders: ['cli'], why: 'the command line translates; nobody stands on it' },
    { folders: ['build'], why: 'a build is made of images, layers and snapshots, which do not know of builds' },
    { folders: ['image', 'layer', 'snapshot'], why: 'storage and transport do not know what is stored' },
    { folders: ['registry', 'store', 'archive'], why: 'a reference is only text', strangers: true },
    { folders: ['reference', 'digest'], why: 'everything may stand on base, so base stands on nothing' },
    { folders: ['base'], why: '' },
  ],
  'shim/src': [
    { folders: ['cli', 'front'], why: 'commands translate; nobody stands on them', strangers: true },
    {
      folders: ['supervise'],
      why: 'a container is supervised by what is known of containers, networks, volumes and tasks, which know of no supervision',
    },
    { folders: ['container', 'network', 'volume', 'rootless'], why: 'what is known of containers is kept and said without a running shim' },
    { folders: ['task'], why: 'the service is made of events, streams and a place to listen, which do not know of tasks' },
    { folders: ['bootstrap', 'listen', 'events', 'stdio'], why: 'a protocol knows nothing of what it carries' },
    { folders: ['ttrpc', 'grpc'], why: 'everything may stand on base, so base stands on nothing', strangers: true },
    { folders: ['base'], why: '' },
  ],
};

/**
 * Between the tools, and a few finer borders. `except` names the files of `from` that are free.
 * @type {{ from: RegExp, to: RegExp, except?: RegExp, why: string }[]}
 */
const BORDERS = [
  { from: /^specs\//, to: /^(runtime|imagetool|shim|conformance)\//, why: 'specs are the contracts: they import nothing of ours' },
  { from: /^runtime\//, to: /^(imagetool|shim|conformance)\//, why: 'the runtime is the lowest tool' },
  { from: /^imagetool\//, to: /^(shim|conformance)\//, why: 'the image tool knows neither the shim nor the conformance suite' },
  { from: /^shim\//, to: /^conformance\//, why: 'the shim does not know the conformance suite' },
  {
    from: /^conformance\//,
    to: /^(runtime|imagetool|shim)\//,
    why: 'the suite sees a runtime only as an executable, to be fair to every one',
  },
  {
    from: /^(imagetool|shim)\//,
    to: /^runtime\/src\/(?!base\/|sys\/|linux\/)/,
    except: /^(shim\/src\/task|imagetool\/src\/build)\//,
    why: 'only shim/src/task and imagetool/src/build run containers; others use base, sys and linux of the runtime',
  },
  {
    from: /^shim\/src\/(ttrpc|grpc)\//,
    to: /^(runtime|imagetool)\/|^shim\/src\/(?!ttrpc\/|grpc\/|base\/)/,
    why: 'a protocol knows no Task',
  },
  { from: /^runtime\/src\/plan\//, to: /^runtime\/src\/(init|operations)\//, why: 'the plan is pure: deciding and doing are apart' },
];

const IMPORT = /\b(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*\(?\s*['"]([^'"]+)['"]/g;
/** Only for code that runs on both engines; `normalize` and the locale's functions are not the same on both. */
const BOTH_ENGINES = [
  {
    pattern: /\basync\s*(?:function\b|\(|\w+\s*(?:=>|\())|\bawait\s/,
    why: 'what runs on both engines is synchronous: waiting is ppoll(2)',
  },
  { pattern: /\.(localeCompare|toLocale\w*|normalize)\s*\(/, why: 'depends on the engine and its locale' },
  { pattern: /\bimport\s*\(/, why: 'every command is one bundle' },
];
const NODE_ONLY = /^runtime\/src\/(sys\/node|cli\/node-[a-z-]+)\.ts$/;
/** A native command's script: what it imports runs on both engines too. */
const NATIVE_MAIN = /\/src\/.*native-main\.ts$/;

/** @type {string[]} */
const problems = [];
/** @param {string} file @param {number} line @param {string} text */
const problem = (file, line, text) => problems.push(`${file}:${line}: ${text}`);

for (const name of readdirSync(root)) {
  if (!name.startsWith('.') && !TOP_LEVEL.includes(name)) {
    problem(name, 1, `is not one of the rooms at the top level: ${TOOLS.join(', ')}`);
  }
}
const files = TOOLS.flatMap((tool) => sourceFiles(tool));
const native = reachedFrom(files.filter((file) => NATIVE_MAIN.test(file)));
for (const file of files) {
  checkFile(file, readFileSync(join(root, file), 'utf8'));
}
for (const text of problems) {
  console.error(text);
}
console.log(`Checked the borders of ${files.length} files.`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** @param {string} folder @returns {string[]} */
function sourceFiles(folder) {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}

/** Files that these import, and so on; types are nothing to an engine. @param {readonly string[]} mains @returns {Set<string>} */
function reachedFrom(mains) {
  const reached = new Set(mains);
  for (const file of reached) {
    for (const [statement, target = ''] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
      if (target.startsWith('.') && !statement.startsWith('import type')) {
        reached.add(relative(root, resolve(root, dirname(file), target)));
      }
    }
  }
  return reached;
}

/** @param {string} file @param {string} text */
function checkFile(file, text) {
  const isTest = /\.test\.ts$|\/test\//.test(file);
  for (const match of text.matchAll(IMPORT)) {
    const target = match[1] ?? '';
    if (target.startsWith('.')) {
      const line = text.slice(0, match.index).split('\n').length;
      checkImport(file, relative(root, resolve(root, dirname(file), target)), line, isTest);
    }
  }
  if ((file.startsWith('runtime/src/') || native.has(file)) && !isTest && !NODE_ONLY.test(file)) {
    withoutCommentsAndStrings(text)
      .split('\n')
      .forEach((line, index) => {
        for (const { pattern, why } of BOTH_ENGINES) {
          const found = pattern.exec(line);
          if (found !== null) {
            problem(file, index + 1, `'${found[0]}': ${why}`);
          }
        }
      });
  }
}

/** Tests may use what is above them; the borders between the tools hold for them too. @param {string} file @param {string} target @param {number} line @param {boolean} isTest */
function checkImport(file, target, line, isTest) {
  for (const { from, to, except, why } of BORDERS) {
    if (from.test(file) && to.test(target) && !except?.test(file) && !(isTest && toolOf(file) === toolOf(target))) {
      problem(file, line, `must not import ${target}: ${why}`);
    }
  }
  for (const [base, rows] of Object.entries(LAYERS)) {
    if (isTest || !file.startsWith(`${base}/`) || !target.startsWith(`${base}/`)) {
      continue;
    }
    const here = rowOf(rows, base, file);
    const there = rowOf(rows, base, target);
    if (here === -1) {
      problem(file, line, `${folderOf(base, file)} has no place in the layers of ${base} (.scripts/check-layers.mjs)`);
    } else if (there !== -1 && there < here) {
      problem(file, line, `must not import ${target}, which is above it: ${rows[here - 1]?.why}`);
    } else if (here === there && rows[here]?.strangers && folderOf(base, file) !== folderOf(base, target)) {
      problem(file, line, `must not import ${target}: they do not know each other; code above joins them`);
    }
  }
}

/** @param {string} file */
function toolOf(file) {
  return file.split('/')[0];
}

/** @param {string} base @param {string} file */
function folderOf(base, file) {
  return file.slice(base.length + 1).split('/')[0] ?? '';
}

/** @param {{ folders: string[] }[]} rows @param {string} base @param {string} file */
function rowOf(rows, base, file) {
  return rows.findIndex((row) => row.folders.includes(folderOf(base, file)));
}

/** Keeps the line breaks, so that line numbers stay true. @param {string} text */
function withoutCommentsAndStrings(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g, (part) =>
    part.replace(/[^\n]/g, ' '),
  );
}
