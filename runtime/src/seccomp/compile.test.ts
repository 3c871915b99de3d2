import { fc, runs } from '../../../.scripts/jest/fuzz.ts';
import { describeWith } from '../../../.scripts/jest/requirement.ts';
import { SECCOMP_OPERATORS, type Seccomp, type SeccompArg, type SeccompSyscall } from '../../../specs/runtime/linux/seccomp.ts';
import { engineProfile, libseccomp, syscallNames } from '../../test/seccomp-profile.ts';
import { createNodeSys } from '../sys/node.ts';
import type { Sys } from '../sys/sys.ts';
import { ARCHITECTURE_TOKENS, nativeArchitecture } from './architectures.ts';
import { compileProfile } from './compile.ts';
import { allows, prepareFilter } from './filter.ts';
import { interpret } from './interpret.ts';
import { libraryPath } from './library.ts';
import { actionValue } from './return-values.ts';
import { complaints } from './test/kernel-rules.ts';

const sys = createNodeSys();
const NATIVE = ARCHITECTURE_TOKENS[nativeArchitecture(sys.arch)];
const U64 = 0xffffffffffffffffn;

function holds({ op, value, valueTwo = 0 }: SeccompArg, argument: bigint): boolean {
  const wanted = BigInt(value);
  switch (op) {
    case 'SCMP_CMP_NE':
      return argument !== wanted;
    case 'SCMP_CMP_LT':
      return argument < wanted;
    case 'SCMP_CMP_LE':
      return argument <= wanted;
    case 'SCMP_CMP_EQ':
      return argument === wanted;
    case 'SCMP_CMP_GE':
      return argument >= wanted;
    case 'SCMP_CMP_GT':
      return argument > wanted;
    case 'SCMP_CMP_MASKED_EQ':
      return (argument & wanted) === BigInt(valueTwo);
  }
}

/** The profile's meaning, word for word; each name is in one rule only. */
function meaning({ defaultAction, defaultErrnoRet, syscalls = [] }: Seccomp, name: string, args: readonly bigint[]): number {
  const rule = syscalls.find(({ names }) => names.includes(name));
  const matches = rule?.args?.every((arg) => holds(arg, args[Number(arg.index)] ?? 0n)) ?? true;
  return rule !== undefined && matches ? actionValue(rule.action, rule.errnoRet) : actionValue(defaultAction, defaultErrnoRet);
}

const value = fc.oneof(fc.bigInt(0n, 4n), fc.bigInt(0n, U64), fc.constantFrom(0xffffffffn, 0x100000000n, U64, 1n << 63n));
const condition = fc
  .record({ index: fc.integer({ min: 0, max: 5 }), value, valueTwo: value, op: fc.constantFrom(...SECCOMP_OPERATORS) })
  // What is compared with a masked value cannot have other bits: libseccomp drops them.
  .map((arg): SeccompArg => (arg.op === 'SCMP_CMP_MASKED_EQ' ? { ...arg, valueTwo: arg.valueTwo & arg.value } : arg));
const args = fc.uniqueArray(condition, { maxLength: 3, selector: ({ index }) => index });
const action = fc.constantFrom(
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRACE',
);

describeWith([libseccomp], 'compileProfile', () => {
  const names = syscallNames();
  const numbers = new Map(names.map((name) => [name, sys.call(sys.symbol('libseccomp.so.2', 'seccomp_syscall_resolve_name'), name) | 0]));

  it('says what the profile says, of any call', () => {
    const syscall = fc.record({ name: fc.constantFrom(...names.slice(0, 60)), action, args });
    const profiles = fc.record({
      defaultAction: action,
      syscalls: fc.uniqueArray(syscall, { maxLength: 40, selector: ({ name }) => name }),
    });
    const calls = fc.array(fc.tuple(fc.constantFrom(...names.slice(0, 60)), fc.tuple(value, value, value, value, value, value)), {
      minLength: 30,
      maxLength: 30,
    });
    fc.assert(
      fc.property(profiles, calls, ({ defaultAction, syscalls }, made) => {
        const rules = syscalls.map(({ name, ...rest }): SeccompSyscall => ({ names: [name], ...rest }));
        // Knows the newest call, so that none is hidden for being new.
        const seccomp: Seccomp = { defaultAction, syscalls: [...rules, { names: names.slice(-1), action: defaultAction }] };
        const program = compileProfile(sys, seccomp);
        expect(complaints(program)).toEqual([]);
        for (const [name, values] of made) {
          const answer = interpret(program, { number: numbers.get(name) ?? 0, architecture: NATIVE, args: values });
          expect([name, values, answer]).toEqual([name, values, meaning(seccomp, name, values)]);
        }
      }),
      runs(40),
    );
  });

  it('compiles what engines ship, and denies by it', () => {
    const program = compileProfile(sys, engineProfile());
    expect(complaints(program)).toEqual([]);
    const answer = (name: string, ...values: number[]): number =>
      interpret(program, { number: numbers.get(name) ?? -1, architecture: NATIVE, args: values });
    expect(answer('read')).toBe(0x7fff0000);
    expect(answer('mount')).toBe(0x50001);
    expect(answer('clone3')).toBe(0x50026);
    expect(answer('clone', 0x11)).toBe(0x7fff0000);
    expect(answer('clone', 0x10000011)).toBe(0x50001);
    expect(answer('socket', 2)).toBe(0x7fff0000);
    expect(answer('socket', 40)).toBe(0x50001);
    expect(answer('personality', 0xffffffff)).toBe(0x7fff0000);
    expect(answer('personality', 1)).toBe(0x50001);
    expect(interpret(program, { number: 9999, architecture: NATIVE })).toBe(0x50026);
    expect(interpret(program, { number: 0, architecture: 0x1234 })).toBe(0);
  });

  it('hides new calls only behind an action that denies', () => {
    const program = (defaultAction: Seccomp['defaultAction']): ArrayBuffer =>
      compileProfile(sys, { defaultAction, syscalls: [{ names: ['read'], action: 'SCMP_ACT_TRAP' }] });
    const number = 400;
    expect(interpret(program('SCMP_ACT_ERRNO'), { number, architecture: NATIVE })).toBe(0x50026);
    expect(interpret(program('SCMP_ACT_KILL_PROCESS'), { number, architecture: NATIVE })).toBe(0x50026);
    expect(interpret(program('SCMP_ACT_ALLOW'), { number, architecture: NATIVE })).toBe(0x7fff0000);
    // A profile that names nothing knows nothing: it means what it says.
    expect(interpret(compileProfile(sys, { defaultAction: 'SCMP_ACT_ERRNO' }), { number, architecture: NATIVE })).toBe(0x50001);
  });

  it('passes over names that nobody knows', () => {
    const program = compileProfile(sys, { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['no_such'], action: 'SCMP_ACT_ERRNO' }] });
    expect(complaints(program)).toEqual([]);
  });

  it('names the rule that libseccomp refuses', () => {
    const once = [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' as const }];
    const syscalls: SeccompSyscall[] = [
      { names: ['read'], action: 'SCMP_ACT_ALLOW', args: once },
      { names: ['write', 'read'], action: 'SCMP_ACT_KILL', args: once },
    ];
    expect(() => compileProfile(sys, { defaultAction: 'SCMP_ACT_ERRNO', syscalls })).toThrow(
      expect.objectContaining({
        code: 'seccomp',
        configPath: 'linux.seccomp.syscalls[1].names[1]',
        message: expect.stringMatching(/refuses the rule for read on \w+: it contradicts an earlier rule$/),
      }),
    );
  });

  it('names the architecture that cannot be filtered', () => {
    expect(() => compileProfile(sys, { defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_S390X'] })).toThrow(
      expect.objectContaining({ code: 'seccomp', configPath: 'linux.seccomp.architectures[0]' }),
    );
  });

  it('knows whether a call would pass', () => {
    const filter = prepareFilter(sys, { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['write'], action: 'SCMP_ACT_ALLOW' }] });
    expect(['read', 'write'].map((name) => allows(filter, sys.arch, numbers.get(name) ?? 0))).toEqual([false, true]);
  });
});

describe('compileProfile without libseccomp', () => {
  it('says what to install', () => {
    const without: Sys = { ...sys, symbol: () => 0 };
    expect(() => compileProfile(without, { defaultAction: 'SCMP_ACT_ALLOW' })).toThrow(
      expect.objectContaining({ code: 'seccomp-library', hint: expect.stringContaining('libseccomp2') }),
    );
    const old: Sys = {
      ...sys,
      symbol: (library, name) => (name === 'seccomp_syscall_resolve_name_arch' ? 0 : sys.symbol(library, name) || 1),
    };
    expect(() => compileProfile(old, { defaultAction: 'SCMP_ACT_ALLOW' })).toThrow('is too old');
  });
});

describe('libraryPath', () => {
  it('is the file in the memory map', () => {
    expect(libraryPath('7f00-7f01 r-xp 00000000 08:01 5   /usr/lib/libseccomp.so.2.5.4\n7f-80 rw-p 0 0:0 0\n')).toBe(
      '/usr/lib/libseccomp.so.2.5.4',
    );
    expect(libraryPath('7f00-7f01 r-xp 00000000 08:01 5   /usr/lib/libc.so.6\n')).toBeUndefined();
  });
});
