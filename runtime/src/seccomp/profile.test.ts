import type { Seccomp, SeccompArg } from '../../../specs/runtime/linux/seccomp.ts';
import { SECCOMP_ACTIONS, SECCOMP_ARCHITECTURES, SECCOMP_FLAGS, SECCOMP_OPERATORS } from '../../../specs/runtime/linux/seccomp.ts';
import { ARCHITECTURE_TOKENS, auditArchitecture } from './architectures.ts';
import { FLAG_VALUES, filterFlags } from './flags.ts';
import { filterRules, foreignArchitectures, hidesNewSyscalls, knownNames, notifies, OPERATOR_VALUES } from './profile.ts';
import { ACTION_VALUES, actionValue } from './return-values.ts';

function profile(more: Partial<Seccomp>): Seccomp {
  return { defaultAction: 'SCMP_ACT_ERRNO', ...more };
}

describe('the tables', () => {
  it('have everything that the specification names', () => {
    expect(Object.keys(ACTION_VALUES).sort()).toEqual([...SECCOMP_ACTIONS].sort());
    expect(Object.keys(OPERATOR_VALUES).sort()).toEqual([...SECCOMP_OPERATORS].sort());
    expect(Object.keys(ARCHITECTURE_TOKENS).sort()).toEqual([...SECCOMP_ARCHITECTURES].sort());
    expect(Object.keys(FLAG_VALUES).sort()).toEqual([...SECCOMP_FLAGS].sort());
  });

  it('gives x32 the architecture of x86_64', () => {
    expect(auditArchitecture('SCMP_ARCH_X32')).toBe(0xc000003e);
    expect(auditArchitecture('SCMP_ARCH_AARCH64')).toBe(0xc00000b7);
  });
});

describe('actionValue', () => {
  it.each([
    ['SCMP_ACT_KILL', undefined, 0],
    ['SCMP_ACT_KILL_THREAD', undefined, 0],
    ['SCMP_ACT_KILL_PROCESS', undefined, 0x80000000],
    ['SCMP_ACT_TRAP', undefined, 0x30000],
    ['SCMP_ACT_ERRNO', undefined, 0x50001],
    ['SCMP_ACT_ERRNO', 0, 0x50000],
    ['SCMP_ACT_ERRNO', 38, 0x50026],
    ['SCMP_ACT_TRACE', undefined, 0x7ff00001],
    ['SCMP_ACT_TRACE', 0xffff, 0x7ff0ffff],
    ['SCMP_ACT_ALLOW', undefined, 0x7fff0000],
    ['SCMP_ACT_LOG', undefined, 0x7ffc0000],
    ['SCMP_ACT_NOTIFY', undefined, 0x7fc00000],
  ] as const)('of %s with errno %s', (action, errno, value) => {
    expect(actionValue(action, errno)).toBe(value);
  });
});

describe('filterRules', () => {
  const allow = 'SCMP_ACT_ALLOW';

  it('makes a rule of each name, with its place', () => {
    const rules = filterRules(profile({ syscalls: [{ names: ['read', 'write'], action: allow }] }));
    expect(rules).toEqual([
      { name: 'read', action: 0x7fff0000, conditions: [], configPath: 'linux.seccomp.syscalls[0].names[0]' },
      { name: 'write', action: 0x7fff0000, conditions: [], configPath: 'linux.seccomp.syscalls[0].names[1]' },
    ]);
  });

  it('leaves out what asks for the default action, down to the errno', () => {
    const syscalls: Seccomp['syscalls'] = [
      { names: ['a'], action: 'SCMP_ACT_ERRNO' },
      { names: ['b'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      { names: ['c'], action: 'SCMP_ACT_ERRNO', errnoRet: 2 },
    ];
    expect(filterRules(profile({ syscalls })).map(({ name }) => name)).toEqual(['c']);
    expect(filterRules(profile({ defaultErrnoRet: 2, syscalls })).map(({ name }) => name)).toEqual(['a', 'b']);
    const kills: Seccomp['syscalls'] = [{ names: ['a'], action: 'SCMP_ACT_KILL_THREAD' }];
    expect(filterRules(profile({ defaultAction: 'SCMP_ACT_KILL', syscalls: kills }))).toEqual([]);
  });

  it('keeps conditions on different arguments together', () => {
    const args: SeccompArg[] = [
      { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
      { index: 1, value: 0xffffffffffffffffn, valueTwo: 7, op: 'SCMP_CMP_MASKED_EQ' },
    ];
    const [rule, ...others] = filterRules(profile({ syscalls: [{ names: ['read'], action: allow, args }] }));
    expect(others).toEqual([]);
    expect(rule?.conditions).toEqual([
      { argument: 0, operator: 4, first: 1n, second: 0n },
      { argument: 1, operator: 7, first: 0xffffffffffffffffn, second: 7n },
    ]);
  });

  it('makes alternatives of all conditions when two are on the same argument', () => {
    const args: SeccompArg[] = [
      { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
      { index: 0, value: 2, op: 'SCMP_CMP_EQ' },
      { index: 3, value: 3, op: 'SCMP_CMP_GT' },
    ];
    const rules = filterRules(profile({ syscalls: [{ names: ['read'], action: allow, args }] }));
    expect(rules.map(({ conditions }) => conditions.map(({ argument, first }) => [argument, first]))).toEqual([
      [[0, 1n]],
      [[0, 2n]],
      [[3, 3n]],
    ]);
  });
});

describe('a profile', () => {
  it('has the native architecture anyway, and each other once', () => {
    const architectures: Seccomp['architectures'] = ['SCMP_ARCH_X86', 'SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'];
    expect(foreignArchitectures(profile({ architectures }), 'x86_64')).toEqual([
      { name: 'SCMP_ARCH_X86', configPath: 'linux.seccomp.architectures[0]' },
    ]);
    expect(foreignArchitectures(profile({ architectures }), 'aarch64').map(({ name }) => name)).toEqual([
      'SCMP_ARCH_X86',
      'SCMP_ARCH_X86_64',
    ]);
    expect(foreignArchitectures(profile({}), 'x86_64')).toEqual([]);
  });

  it('knows the names of rules that change nothing', () => {
    const syscalls: Seccomp['syscalls'] = [
      { names: ['a', 'b'], action: 'SCMP_ACT_ERRNO' },
      { names: ['b', 'c'], action: 'SCMP_ACT_ALLOW' },
    ];
    expect(knownNames(profile({ syscalls }))).toEqual(['a', 'b', 'c']);
  });

  it.each(SECCOMP_ACTIONS.map((action) => [action]))('with the default action %s', (defaultAction) => {
    const permissive = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(defaultAction);
    expect(hidesNewSyscalls({ defaultAction })).toBe(!permissive);
  });

  it('needs a listener when a rule asks one', () => {
    expect(notifies(profile({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_NOTIFY' }] }))).toBe(true);
    expect(notifies(profile({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_ALLOW' }] }))).toBe(false);
  });

  it.each([
    [undefined, 4],
    [[], 0],
    [['SECCOMP_FILTER_FLAG_TSYNC'], 0],
    [['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'], 6],
    [['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'], 32],
  ] as const)('with flags %j has bits %d', (flags, bits) => {
    expect(filterFlags(flags === undefined ? profile({}) : profile({ flags }))).toBe(bits);
  });
});
