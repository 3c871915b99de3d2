// Makes the commands that run on Node: one bundle each, and a launcher that can be started with an empty environment from anywhere.
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { writeWithCodeCache } from './code-cache.mjs';
import { dist, Missing, makeFrom, replaceFile, root, run } from './files.mjs';
import { findCompiler } from './native.mjs';
import { SHIM_FLAGS } from './shim-flags.mjs';
import { splitForNode } from './split.mjs';
import { trainRuntime } from './training.mjs';
import { versionDefines } from './version.mjs';

/**
 * The commands, their main files, and their bundles; those whose main file is not there are left out. One without a name is started by a native
 * command, or by a launcher that build.mjs makes. Bytecode is made where a start is waited for.
 * Packages `apart` are bundles of their own, loaded when they are first needed: each made of the file given, which takes what is used of the package.
 * Of a command with a `training`, which gets a program to put into containers, bytecode is made of what that needs.
 * Of a command with a `quick` main file that one is loaded first where one of its words is on the command line: it ends the process, or leaves the rest to the other.
 * Of a command with `packs` only those parts are read that are needed, which are made by splitForNode.
 * @type {{ name?: string, main: string, bundle: string, bytecode?: boolean, flags?: readonly string[], apart?: Record<string, string>, packs?: string[][],
 *   quick?: { main: string, words: readonly string[] }, training?: import('./code-cache.mjs').Training }[]}
 */
const COMMANDS = [
  {
    name: 'tsrun-node',
    main: 'runtime/src/cli/node-main.ts',
    bundle: 'tsrun.cjs',
    bytecode: true,
    quick: { main: 'runtime/src/cli/node-quick-main.ts', words: ['run', 'create', 'start', 'state', 'kill', 'delete', 'exec'] },
    training: trainRuntime,
  },
  {
    main: 'imagetool/src/cli/main.ts',
    bundle: 'tsimg.cjs',
    bytecode: true,
    apart: { undici: '.scripts/build/undici.cjs' },
    packs: [
      ['cli/main.ts', 'cli/commands/images.ts', 'cli/commands/tag.ts', 'cli/commands/inspect.ts'].map((path) => `imagetool/src/${path}`),
      ['runtime/src/sys/node.ts'],
      [
        ...['pull.ts', 'push.ts', 'copy.ts', 'list-tags.ts', 'unpack.ts', 'commit.ts', 'diff.ts'].map(
          (path) => `imagetool/src/cli/commands/${path}`,
        ),
        ...['certificates.ts', 'client.ts', 'credentials.ts', 'find-hosts.ts', 'mirror.ts', 'transport.ts'].map(
          (path) => `imagetool/src/registry/${path}`,
        ),
      ],
      ['imagetool/src/cli/commands/build.ts'],
      ['imagetool/src/build/execute/copy-step.ts', 'imagetool/src/layer/unpack.ts'],
      ['imagetool/src/build/execute/run-step.ts'],
    ],
  },
  {
    main: 'shim/src/front/main.ts',
    bundle: 'tsctl.cjs',
    bytecode: true,
    apart: { undici: '.scripts/build/undici.cjs' },
    packs: [
      ['main.ts', 'commands/ps.ts', 'commands/logs.ts', 'commands/inspect.ts', 'commands/port.ts'].map((path) => `shim/src/front/${path}`),
      [
        ...['commands/run.ts', 'commands/start.ts', 'commands/stop.ts', 'commands/rm.ts', 'shim.ts'].map(
          (path) => `shim/src/front/${path}`,
        ),
        'runtime/src/sys/node.ts',
        'imagetool/src/store/store.ts',
      ],
    ],
  },
  {
    main: 'shim/src/cli/main.ts',
    bundle: 'containerd-shim-tsrun-v2.cjs',
    bytecode: true,
    flags: SHIM_FLAGS,
    apart: { '@grpc/grpc-js': 'node_modules/@grpc/grpc-js/build/src/index.js' },
  },
  { name: 'tsrun-conformance', main: 'conformance/main.ts', bundle: 'tsrun-conformance.cjs' },
];

/** Bundles that commands start as threads. */
const THREADS = [{ main: 'shim/src/task/operations/worker.ts', bundle: 'shim-worker.cjs', bytecode: true, flags: SHIM_FLAGS }];

/** Makes all Node commands. Returns the names of those made. */
export async function buildNodeCommands() {
  const commands = COMMANDS.filter(({ main }) => existsSync(join(root, main)));
  const names = [];
  for (const { name, bundle } of commands) {
    if (name) {
      writeLauncher(join(dist, 'bin', name), join(dist, bundle));
      names.push(name);
    }
  }
  await Promise.all([
    ...THREADS.map(({ main, bundle, bytecode, flags }) => bundleForNode(join(root, main), join(dist, bundle), { bytecode, flags })),
    ...commands.map(({ name = '', main, bundle, bytecode, flags, apart, packs, quick, training }) =>
      bundleForNode(join(root, main), join(dist, bundle), {
        bytecode,
        flags,
        apart,
        packs,
        quick,
        training,
        program: join(dist, 'bin', name),
      }),
    ),
  ]);
  return names;
}

/** @typedef {{ bytecode?: boolean, flags?: readonly string[], apart?: Record<string, string>, packs?: string[][] | undefined,
 *   quick?: { main: string, words: readonly string[] } | undefined, training?: import('./code-cache.mjs').Training | undefined, program?: string }} BundleOptions */

/** @param {string} main @param {string} output @param {BundleOptions} [options] */
export async function bundleForNode(main, output, { bytecode = false, flags = [], apart = {}, packs, quick, training, program } = {}) {
  const fileOf = (/** @type {string} */ name) => join(dirname(output), `${basename(output, '.cjs')}-${basename(name)}.cjs`);
  /** @type {import('esbuild').BuildOptions} */
  const options = {
    platform: 'node',
    target: 'node20',
    plugins: [directKoffi(), leaveOut(), keepApart(Object.keys(apart), (name) => `./${basename(fileOf(name))}`)],
    define: versionDefines(),
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
  };
  if (packs === undefined) await bundleWhole(main, output, options, bytecode ? { flags, quick, training, program } : undefined);
  else await splitForNode(main, output, packs, { ...options, absWorkingDir: root });
  await Promise.all(Object.entries(apart).map(([name, entry]) => bundleForNode(join(root, entry), fileOf(name), { bytecode, flags })));
}

/**
 * @param {string} main @param {string} output @param {import('esbuild').BuildOptions} options
 * @param {Omit<import('./code-cache.mjs').CacheOptions, 'quick'> & Pick<BundleOptions, 'quick'>} [bytecode] where it is made
 */
async function bundleWhole(main, output, options, bytecode) {
  // Half of the text, where all of it is read at each start. What an error says has no name of a function in it.
  const settings = { ...options, minify: bytecode?.training !== undefined };
  if (bytecode === undefined) {
    replaceFile(output, await textOf(main, settings));
    return;
  }
  // Bytecode is made without a loader of modules.
  const scripts = { ...settings, supported: { 'dynamic-import': false } };
  const { quick, ...others } = bytecode;
  const quickly = quick === undefined ? undefined : { code: await textOf(join(root, quick.main), scripts), words: quick.words };
  writeWithCodeCache(output, await textOf(main, scripts), { ...others, quick: quickly });
}

/** @param {string} main @param {import('esbuild').BuildOptions} options */
async function textOf(main, options) {
  const { build } = await import('esbuild');
  const { outputFiles = [] } = await build({ ...options, entryPoints: [main], outdir: dist, write: false, bundle: true, format: 'cjs' });
  return outputFiles[0]?.text ?? '';
}

/**
 * @param {readonly string[]} names @param {(name: string) => string} pathOf
 * @returns {import('esbuild').Plugin}
 */
function keepApart(names, pathOf) {
  const resolve = (/** @type {{ path: string }} */ { path }) => (names.includes(path) ? { path: pathOf(path), external: true } : undefined);
  return { name: 'keep-apart', setup: ({ onResolve }) => onResolve({ filter: /^[^./]/ }, resolve) };
}

/**
 * Parts of undici that are loaded with a connection and that nothing here asks for: HTTP/2, and bodies that are forms.
 * @returns {import('esbuild').Plugin}
 */
function leaveOut() {
  return {
    name: 'leave-out',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /\/(client-h2|fetch\/body)\.js$/ }, ({ path, importer }) =>
        importer.includes('/undici/lib/dispatcher/') ? { path, namespace: 'nothing' } : undefined,
      );
      onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
    },
  };
}

/**
 * koffi's JavaScript looks for its binary, anew at every start, for 10 ms. The binary by itself has all that sys/node.ts uses.
 * @returns {import('esbuild').Plugin}
 */
function directKoffi() {
  const require = createRequire(import.meta.url);
  require('koffi');
  const binary = Object.keys(require.cache).find((path) => path.endsWith('koffi.node')) ?? 'koffi';
  return { name: 'direct-koffi', setup: ({ onResolve }) => onResolve({ filter: /^koffi$/ }, () => ({ path: binary, external: true })) };
}

/**
 * Node would obey NODE_OPTIONS and NODE_PATH of whoever calls the command, which may be a container's engine. A shebang line can neither drop
 * them nor do without PATH; a small static executable can, for 0.5 ms (a shell takes 2 ms).
 * @param {string} path @param {string} bundle
 */
export function writeLauncher(path, bundle) {
  const node = process.execPath;
  const source = join(root, '.scripts/build/launcher.c');
  const compiler = compilerIfAny();
  makeFrom(path, { files: [source], words: [compiler ?? 'sh', node, bundle] }, (temporary) => {
    if (compiler) {
      const defines = [`-DNODE=${JSON.stringify(node)}`, `-DSCRIPT=${JSON.stringify(bundle)}`];
      run(compiler, ['-O2', '-static', '-s', ...defines, '-o', temporary, source]);
    } else {
      const words = [node, '--no-warnings', bundle].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
      writeFileSync(temporary, `#!/bin/sh\nunset NODE_OPTIONS NODE_PATH\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
    }
  });
}

function compilerIfAny() {
  try {
    return findCompiler();
  } catch (error) {
    if (error instanceof Missing) {
      return undefined;
    }
    throw error;
  }
}
