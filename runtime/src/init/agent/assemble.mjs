// biome-ignore-all lint/correctness/noNodejsModules: a build tool, which runs on Node only and is never part of the bundle

/**
 * Assembles the init agent for both architectures and writes `agent-<arch>.gen.ts`: `node runtime/src/init/agent/assemble.mjs`.
 * Needs GNU binutils for each of them (Debian: binutils, binutils-aarch64-linux-gnu, binutils-x86-64-linux-gnu).
 */

import { Buffer } from 'node:buffer';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

/** @typedef {'x86_64' | 'aarch64'} Architecture */

/** @type {readonly Architecture[]} */
export const ARCHITECTURES = ['x86_64', 'aarch64'];

/**
 * The prefix of the binutils that make code for `arch`, or undefined when there are none here.
 * @param {Architecture} arch
 */
export function toolchain(arch) {
  return [`${arch}-linux-gnu-`, ''].find((prefix) => {
    const { stdout } = spawnSync(`${prefix}as`, ['--version'], { encoding: 'utf8' });
    return stdout?.includes(`target of \`${arch}-`) && spawnSync(`${prefix}ld`, ['--version']).status === 0;
  });
}

/**
 * Assembles and links the agent; returns the bytes of the ELF file.
 * @param {Architecture} arch
 * @param {string} folder where the sources are
 * @param {string} prefix of the binutils
 * @returns {Buffer}
 */
export function assemble(arch, folder, prefix) {
  const temporary = mkdtempSync(join(tmpdir(), 'agent-'));
  try {
    const object = join(temporary, 'agent.o');
    const elf = join(temporary, 'agent');
    execFileSync(`${prefix}as`, ['--fatal-warnings', '-I', folder, '-o', object, join(folder, `agent.${arch}.S`)]);
    // 64 KiB is the largest page of either architecture: one layout for all.
    const pages = ['-z', 'max-page-size=0x10000', '-z', 'noseparate-code'];
    execFileSync(`${prefix}ld`, ['--fatal-warnings', '-T', join(folder, 'agent.ld'), '--build-id=none', '-s', ...pages, '-o', elf, object]);
    return withoutSections(readFileSync(elf));
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/**
 * Cuts the section headers and whatever else no segment needs off an ELF file: the kernel reads program headers only.
 * @param {Buffer} elf
 */
function withoutSections(elf) {
  const E_PHOFF = 32;
  const E_SHOFF = 40;
  const [E_PHENTSIZE, E_PHNUM, E_SHENTSIZE, E_SHNUM, E_SHSTRNDX] = [54, 56, 58, 60, 62];
  const [P_OFFSET, P_FILESZ] = [8, 32];

  const headers = Array.from(
    { length: elf.readUInt16LE(E_PHNUM) },
    (_, i) => Number(elf.readBigUInt64LE(E_PHOFF)) + i * elf.readUInt16LE(E_PHENTSIZE),
  );
  const ends = headers
    .filter((header) => elf.readBigUInt64LE(header + P_FILESZ) > 0n)
    .map((header) => Number(elf.readBigUInt64LE(header + P_OFFSET) + elf.readBigUInt64LE(header + P_FILESZ)));
  const cut = Buffer.from(elf.subarray(0, Math.max(...ends)));
  cut.writeBigUInt64LE(0n, E_SHOFF);
  for (const field of [E_SHENTSIZE, E_SHNUM, E_SHSTRNDX]) {
    cut.writeUInt16LE(0, field);
  }
  return cut;
}

/**
 * The generated module's file name and text.
 * @param {Architecture} arch
 * @param {Buffer} elf
 */
export function generated(arch, elf) {
  return {
    name: `agent-${arch}.gen.ts`,
    text:
      `/** The init agent for ${arch}: the ${elf.length} bytes of its ELF file, in hexadecimal. Made from agent.${arch}.S by assemble.mjs. */\n` +
      `export const AGENT_${arch.toUpperCase()} =\n  '${elf.toString('hex')}';\n`,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = import.meta.dirname;
  for (const arch of ARCHITECTURES) {
    const prefix = toolchain(arch);
    if (prefix === undefined) {
      process.stderr.write(`assemble: no GNU binutils for ${arch} here; agent-${arch}.gen.ts is left as it is\n`);
      process.exitCode = 1;
      continue;
    }
    const elf = assemble(arch, folder, prefix);
    const { name, text } = generated(arch, elf);
    writeFileSync(join(folder, name), text);
    process.stdout.write(`${name}: ${elf.length} bytes\n`);
  }
}
