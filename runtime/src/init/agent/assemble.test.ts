import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES, assemble, generated, toolchain } from './assemble.mjs';
import * as protocol from './protocol.ts';
import { ELF } from './test/driver.ts';

const read = (name: string) => readFileSync(join(__dirname, name), 'utf8');

describe.each(ARCHITECTURES)('the agent for %s', (arch) => {
  const prefix = toolchain(arch);
  const name = 'agent-*.gen.ts is what the sources assemble to';
  if (prefix === undefined) {
    process.stderr.write(
      `SKIPPED: agent-${arch}.gen.ts is not compared with its source, because there are no GNU binutils for ${arch} here\n`,
    );
    test.skip(`${name}: SKIPPED, no GNU binutils for ${arch} here`, () => undefined);
  } else {
    test(name, () => {
      const { name, text } = generated(arch, assemble(arch, __dirname, prefix));
      expect(read(name)).toBe(text);
    });
  }

  const elf = ELF[arch];
  const segments = Array.from({ length: elf.readUInt16LE(56) }, (_, i) => {
    const at = 64 + i * 56;
    const [offset, address, , fileSize, memorySize] = [8, 16, 24, 32, 40].map((field) => Number(elf.readBigUInt64LE(at + field)));
    return { type: elf.readUInt32LE(at), flags: elf.readUInt32LE(at + 4), offset, address, fileSize, memorySize };
  });
  const [PT_LOAD, PT_GNU_STACK] = [1, 0x6474e551];
  const [R, W, X] = [4, 2, 1];

  test('is less than 1 KiB', () => {
    expect(elf.length).toBeLessThan(1024);
  });

  test('has code, a buffer without bytes in the file, and a stack without execution, and nothing else', () => {
    expect(segments).toEqual([
      { type: PT_LOAD, flags: R | X, offset: 0, address: 0x10000000, fileSize: elf.length, memorySize: elf.length },
      { type: PT_LOAD, flags: R | W, offset: 0, address: protocol.BUF, fileSize: 0, memorySize: protocol.SIZE },
      { type: PT_GNU_STACK, flags: R | W, offset: 0, address: 0, fileSize: 0, memorySize: 0 },
    ]);
  });

  test('is for this architecture and has no section headers', () => {
    expect(elf.readUInt16LE(18)).toBe(arch === 'x86_64' ? 62 : 183);
    expect([elf.readBigUInt64LE(40), elf.readUInt16LE(60)]).toEqual([0n, 0]);
  });
});

test('agent.inc and protocol.ts say the same', () => {
  const assembler = new Map([...read('agent.inc').matchAll(/^ *\.set (\w+), (\w+)/gm)].map(([, name, value]) => [name, Number(value)]));
  const typescript = new Map(Object.entries(protocol).filter(([, value]) => typeof value === 'number'));
  for (const linux of ['EINTR', 'EAGAIN', 'MAX_ERRNO', 'MSG_NOSIGNAL', 'MADV_NOHUGEPAGE']) {
    assembler.delete(linux);
  }
  expect(Object.fromEntries(assembler)).toEqual(Object.fromEntries(typescript));
  expect([0, 1, 2, 3, 4, 5].map((i) => protocol.indirect(i as 0))).toEqual([1, 2, 4, 8, 16, 32]);
});
