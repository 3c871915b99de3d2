import type { Seccomp, SeccompSyscall } from '../../../../specs/runtime/linux/seccomp.ts';
import { findErrors } from '../test/findings.ts';

const NOTIFY: SeccompSyscall = { names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' };

describe('seccompErrors', () => {
  it.each<[Partial<Seccomp>, string[]]>([
    [{ defaultErrnoRet: 38, flags: [], architectures: ['SCMP_ARCH_X86_64'] }, []],
    [{ defaultErrnoRet: 4096 }, ['seccomp-errno defaultErrnoRet']],
    [{ defaultAction: 'SCMP_ACT_TRACE', defaultErrnoRet: 65535 }, []],
    [{ defaultAction: 'SCMP_ACT_TRACE', defaultErrnoRet: 65536 }, ['seccomp-errno defaultErrnoRet']],
    [{ defaultAction: 'SCMP_ACT_KILL', defaultErrnoRet: 1 }, ['seccomp-errno defaultErrnoRet']],
    [{ syscalls: [{ names: ['a'], action: 'SCMP_ACT_ALLOW', errnoRet: 1 }] }, ['seccomp-errno syscalls[0].errnoRet']],
    [{ syscalls: [{ names: ['a'], action: 'SCMP_ACT_ERRNO', errnoRet: 4095 }] }, []],
    [{ syscalls: [{ names: [], action: 'SCMP_ACT_ERRNO' }] }, ['type syscalls[0].names']],
    [
      { syscalls: [{ names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }] },
      ['type syscalls[0].args[0].index'],
    ],
    [{ defaultAction: 'SCMP_ACT_NOTIFY' }, ['seccomp-notify-default defaultAction']],
    [{ syscalls: [NOTIFY], listenerPath: '/run/agent.sock', listenerMetadata: 'x' }, []],
    [{ syscalls: [NOTIFY] }, ['seccomp-listener-path listenerPath']],
    [{ listenerPath: '/run/agent.sock' }, []],
    [{ listenerMetadata: 'x' }, ['seccomp-listener-metadata listenerMetadata']],
    [{ syscalls: [{ ...NOTIFY, names: ['read', 'write'] }], listenerPath: '/a' }, ['seccomp-notify-write syscalls[0].action']],
    [{ flags: ['SECCOMP_FILTER_FLAG_NEW'] as never }, ['type flags[0]']],
    [{ architectures: ['SCMP_ARCH_VAX'] as never }, ['type architectures[0]']],
  ])('%j', (changes, expected) => {
    const found = findErrors({ linux: { seccomp: { defaultAction: 'SCMP_ACT_ERRNO', ...changes } } });
    expect(found).toEqual(expected.map((problem) => problem.replace(' ', ' linux.seccomp.')));
  });
});
