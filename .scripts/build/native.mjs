// Makes a native command: scripts become bytecode, bytecode and the host in C become one executable.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findEngine } from './engine.mjs';
import { hasCommand, Missing, makeFrom, replaceFile, root, run, work } from './files.mjs';
import { versionDefines } from './version.mjs';

const sources = join(root, 'runtime/native');
const CFLAGS = ['-O2', '-Wall', '-Wextra', '-Wno-unused-parameter'];
/** Not position independent: relocating the engine's tables costs 0.5 ms a start. Read-only after that. */
const LDFLAGS = ['-no-pie', '-Wl,-z,now,-z,relro', '-s'];

/** The C compiler of this machine. */
export function findCompiler() {
  const compiler = [process.env['CC'], 'gcc', 'cc', 'clang'].find((name) => name !== undefined && hasCommand(name));
  if (!compiler || !existsSync('/usr/include/stdio.h')) {
    throw new Missing('there is no C compiler; on Debian: apt-get install gcc libc6-dev');
  }
  return compiler;
}

/**
 * @param {string[]} entries TypeScript files, the default entry first; each is known by its name without `.ts`
 * @param {string} output
 */
export async function buildNative(entries, output) {
  const compiler = findCompiler();
  const engine = findEngine();
  const name = basename(output);
  const folder = join(work, 'native', name);
  mkdirSync(folder, { recursive: true });
  const compile = join(work, 'compile');
  const link = [`-I${engine.include}`, `-I${sources}`];
  const libraries = [engine.library, '-lm'];
  makeFrom(compile, { files: [join(sources, 'compile.c'), engine.library], words: [compiler] }, (temporary) => {
    try {
      run(compiler, [...CFLAGS, ...link, '-o', temporary, join(sources, 'compile.c'), ...libraries]);
    } catch (error) {
      // The first program to be linked with the engine: where it does not fit to the C library of this machine, this is how it shows.
      throw new Missing(`QuickJS-ng from ${engine.library} cannot be used here (${String(error).split('\n')[1]})`);
    }
  });

  const bytecodes = await compileEntries(entries, folder, compile);
  const table = join(folder, 'entries.c');
  replaceFile(table, entryTable(bytecodes));
  const code = [join(sources, 'host.c'), join(sources, 'text.c'), table];
  const headers = [join(sources, 'text.h'), join(sources, 'entries.h')];
  const words = [compiler, ...CFLAGS, ...LDFLAGS];
  makeFrom(output, { files: [...code, ...headers, engine.library, ...bytecodes.map((entry) => entry.path)], words }, (temporary) => {
    run(compiler, [...CFLAGS, ...LDFLAGS, ...link, '-o', temporary, ...code, ...libraries]);
  });
}

/**
 * @param {string[]} entries @param {string} folder @param {string} compile
 * @returns {Promise<{ name: string, path: string }[]>}
 */
async function compileEntries(entries, folder, compile) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: entries,
    outdir: folder,
    write: false,
    bundle: true,
    format: 'iife',
    platform: 'neutral',
    // What Node 20 and QuickJS-ng both have; `using` is lowered for both.
    target: 'es2023',
    minifySyntax: true,
    define: versionDefines(),
    logLevel: 'warning',
  });
  return entries.map((entry) => {
    const name = basename(entry, '.ts');
    const script = join(folder, `${name}.js`);
    const path = join(folder, `${name}.bytecode`);
    writeFileSync(script, outputFiles.find((file) => file.path === script)?.contents ?? '');
    makeFrom(path, { files: [script, compile] }, (temporary) => {
      run(compile, [script, temporary]);
    });
    return { name, path };
  });
}

/** The bytecode goes into the executable as it is. @param {{ name: string, path: string }[]} bytecodes */
function entryTable(bytecodes) {
  const blobs = bytecodes.map(
    ({ path }, index) =>
      `__asm__(".section .rodata\\n.balign 8\\nentry_${index}: .incbin \\"${path}\\"\\nentry_${index}_end: .byte 0\\n.previous");\n` +
      `extern const uint8_t entry_${index}[], entry_${index}_end[];\n`,
  );
  const rows = bytecodes.map(({ name }, index) => `    {"${name}", entry_${index}, entry_${index}_end},\n`);
  return `#include "entries.h"\n\n${blobs.join('')}\nconst Entry entries[] = {\n${rows.join('')}    {0, 0, 0},\n};\n`;
}
