// Makes a native command: a script becomes bytecode, bytecode a heap, and the heap and the host in C one executable.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findEngine } from './engine.mjs';
import { hasCommand, Missing, makeFrom, root, run, work } from './files.mjs';
import { versionDefines } from './version.mjs';

const sources = join(root, 'runtime/native');
const CFLAGS = ['-O2', '-Wall', '-Wextra', '-Wno-unused-parameter'];
/** Not position independent: the image holds addresses, and relocating the engine's tables costs 0.5 ms a start. Read-only after that. */
const LDFLAGS = ['-no-pie', '-Wl,-z,now,-z,relro', `-Wl,-T,${join(sources, 'image.ld')}`, '-s'];
/** Bytes for the heap while it is made. */
const IMAGE_ROOM = 64 << 20;

/** The C compiler of this machine. */
export function findCompiler() {
  const compiler = [process.env['CC'], 'gcc', 'cc', 'clang'].find((name) => name !== undefined && hasCommand(name));
  if (!compiler || !existsSync('/usr/include/stdio.h')) {
    throw new Missing('there is no C compiler; on Debian: apt-get install gcc libc6-dev');
  }
  return compiler;
}

/**
 * The executable is linked twice: the first one loads the script and writes its heap, the second one carries that heap. See runtime/native/README.md.
 * @param {string} entry a TypeScript file that defines the global `main`
 * @param {string} output
 */
export async function buildNative(entry, output) {
  const compiler = findCompiler();
  const engine = findEngine();
  const folder = join(work, 'native', basename(output));
  mkdirSync(folder, { recursive: true });
  const [bytecode, image, section] = ['main.bytecode', 'image', 'image.S'].map((name) => join(folder, name));
  const compile = join(work, 'compile');
  const flags = [...CFLAGS, `-I${engine.include}`, `-I${sources}`];
  const libraries = [engine.library, '-lm'];
  makeFrom(compile, { files: [join(sources, 'compile.c'), engine.library], words: [compiler] }, (temporary) => {
    try {
      run(compiler, [...flags, '-o', temporary, join(sources, 'compile.c'), ...libraries]);
    } catch (error) {
      // The first program to be linked with the engine: where it does not fit to the C library of this machine, this is how it shows.
      throw new Missing(`QuickJS-ng from ${engine.library} cannot be used here (${String(error).split('\n')[1]})`);
    }
  });

  const script = await bundle(entry, folder);
  makeFrom(bytecode, { files: [script, compile] }, (temporary) => {
    run(compile, [script, temporary]);
  });
  const code = ['host.c', 'text.c', 'image.c'].map((name) => join(sources, name));
  const inputs = [...code, ...['text.h', 'image.h', 'image.ld'].map((name) => join(sources, name)), engine.library, bytecode];
  makeFrom(output, { files: inputs, words: [compiler, ...CFLAGS, ...LDFLAGS] }, (temporary) => {
    const link = (/** @type {string} */ path, /** @type {string} */ type, /** @type {string} */ content) => {
      writeFileSync(
        section,
        `.section .note.GNU-stack, "", @progbits\n.section .image, "aw", ${type}\n.globl image, image_end\nimage: ${content}\nimage_end:\n`,
      );
      run(compiler, [...flags, ...LDFLAGS, '-o', path, ...code, section, ...libraries]);
    };
    link(temporary, '@nobits', `.zero ${IMAGE_ROOM}`);
    run(temporary, [bytecode, image]);
    link(temporary, '@progbits', `.incbin "${image}"`);
  });
}

/** @param {string} entry @param {string} folder @returns {Promise<string>} the path of the script */
async function bundle(entry, folder) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [entry],
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
  const script = join(folder, 'main.js');
  writeFileSync(script, outputFiles[0]?.contents ?? '');
  return script;
}
