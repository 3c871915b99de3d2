import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../../../.scripts/jest/requirement.ts';
import type { Seccomp } from '../../../specs/runtime/linux/seccomp.ts';
import { libseccomp } from '../../test/seccomp-profile.ts';
import { createNodeSys } from '../sys/node.ts';
import type { Sys } from '../sys/sys.ts';
import { prepareFilter } from './filter.ts';

const PROFILE: Seccomp = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' }] };

describeWith([libseccomp], 'the cache of filters', () => {
  let parent: string;
  let directory: string;
  let compiled: number;
  const node = createNodeSys();
  /** Counts compilations: each loads the library. */
  const sys: Sys = {
    ...node,
    symbol: (library, name) => {
      if (name === 'seccomp_init') compiled++;
      return node.symbol(library, name);
    },
  };

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'tsrun-cache-'));
    directory = join(parent, 'cache');
    compiled = 0;
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  const program = (profile: Seccomp = PROFILE): string => Buffer.from(prepareFilter(sys, profile, directory).program).toString('hex');
  const files = (): string[] => readdirSync(directory).map((name) => join(directory, name));
  const only = (): string => files()[0] ?? '';

  it('compiles a profile once, whatever its flags are', () => {
    const first = program();
    expect(program()).toBe(first);
    expect(program({ ...PROFILE, flags: [], listenerPath: '/x' })).toBe(first);
    expect(compiled).toBe(1);
    expect(statSync(directory).mode & 0o7777).toBe(0o700);
    expect(files().map((path) => statSync(path).mode & 0o7777)).toEqual([0o600]);
  });

  it('compiles another profile anew, down to a bigint', () => {
    const withValue = (value: bigint): Seccomp => ({
      ...PROFILE,
      syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }],
    });
    expect(new Set([program(), program(withValue(0xfffffffffffffffen)), program(withValue(0xffffffffffffffffn))]).size).toBe(3);
    expect(compiled).toBe(3);
    program(withValue(0xfffffffffffffffen));
    expect(compiled).toBe(3);
  });

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 8)],
    ['longer', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(8)])],
    ['of another version', (bytes: Buffer) => bytes.fill(7, 0, 4)],
    ['changed in its program', (bytes: Buffer) => bytes.fill(bytes[bytes.length - 1] === 1 ? 2 : 1, bytes.length - 1)],
    ['changed in its key', (bytes: Buffer) => bytes.fill('X', 30, 31)],
    ['of absurd lengths', (bytes: Buffer) => bytes.fill(0xff, 4, 16)],
    ['of another library', (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('libseccomp.so', 'libseccomp.sO'), 'latin1')],
  ] as const)('ignores a file that is %s, and writes it anew', (_what, change) => {
    const first = program();
    const good = readFileSync(only());
    writeFileSync(only(), change(Buffer.from(good)));
    expect(program()).toBe(first);
    expect(compiled).toBe(2);
    expect(readFileSync(only())).toEqual(good);
  });

  it('does without a directory that others can use', () => {
    mkdirSync(directory, { mode: 0o700 });
    chmodSync(directory, 0o750);
    program();
    program();
    expect(compiled).toBe(2);
    expect(files()).toEqual([]);
  });

  it('does not follow links', () => {
    const elsewhere = join(parent, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, directory);
    program();
    expect(readdirSync(elsewhere)).toEqual([]);
    rmSync(directory);
    program();
    const secret = join(parent, 'secret');
    writeFileSync(secret, 'untouched');
    const file = only();
    rmSync(file);
    symlinkSync(secret, file);
    program();
    expect(readFileSync(secret, 'utf8')).toBe('untouched');
    expect(compiled).toBe(3);
  });

  it('does without one that cannot be made', () => {
    directory = join(parent, 'missing/cache');
    program();
    program();
    expect(compiled).toBe(2);
  });

  it('begins anew when it is full', () => {
    program();
    for (let index = 0; index < 70; index++) writeFileSync(join(directory, `other${index}`), 'x');
    program({ defaultAction: 'SCMP_ACT_ALLOW' });
    expect(files()).toHaveLength(1);
  });
});
