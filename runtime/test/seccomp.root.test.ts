/** System call filters in real containers: what they allow, deny and kill, by both engines. */
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith } from '../../.scripts/jest/requirement.ts';
import type { Seccomp, SeccompAction, SeccompOperator, SeccompSyscall } from '../../specs/runtime/linux/seccomp.ts';
import { type Change, type Draft, onBothEngines, type RunOptions, type Seen } from './ground.ts';
import { engineProfile, libseccomp, seccompKernel } from './seccomp-profile.ts';
import { type TinyCall, writeTinyElf } from './tiny-elf.ts';

const SIGSYS_STATUS = 128 + 31;
const U64 = 0xffffffffffffffffn;

function under(seccomp: Seccomp, more: Change = () => undefined): Change {
  return (config) => {
    config.linux.seccomp = seccomp as NonNullable<Draft['linux']['seccomp']>;
    more(config);
  };
}

describeWith([libseccomp, seccompKernel], 'seccomp', () => {
  onBothEngines('a filter', (ground) => {
    /** Makes the calls under a profile; the status is the errno of the last one. */
    function calls(
      seccomp: Seccomp | undefined,
      list: readonly TinyCall[],
      change: Change = () => undefined,
      options: RunOptions = {},
    ): Seen {
      return ground().run(
        (config) => {
          config.process.args = ['/calls'];
          if (seccomp !== undefined) under(seccomp)(config);
          change(config);
        },
        { ...options, rootfs: (path) => writeTinyElf(join(path, 'calls'), ground().sys.arch, list) },
      );
    }

    const yielding = (
      action: SeccompAction,
      more: Partial<SeccompSyscall> = {},
      defaultAction: SeccompAction = 'SCMP_ACT_ALLOW',
    ): Seccomp => ({
      defaultAction,
      syscalls: [
        { names: ['sched_yield'], action, ...more },
        { names: ['execve', 'exit_group', 'clone3'], action: 'SCMP_ACT_ALLOW' },
      ],
    });
    const sched_yield = (): number => (ground().sys.arch === 'x86_64' ? 24 : 124);

    it.each([
      ['SCMP_ACT_ALLOW', {}, 0],
      ['SCMP_ACT_LOG', {}, 0],
      ['SCMP_ACT_ERRNO', {}, 1],
      ['SCMP_ACT_ERRNO', { errnoRet: 95 }, 95],
      // Without a tracer.
      ['SCMP_ACT_TRACE', {}, 38],
      ['SCMP_ACT_TRAP', {}, SIGSYS_STATUS],
      ['SCMP_ACT_KILL', {}, SIGSYS_STATUS],
      ['SCMP_ACT_KILL_THREAD', {}, SIGSYS_STATUS],
      ['SCMP_ACT_KILL_PROCESS', {}, SIGSYS_STATUS],
    ] as const)('does %s (%j)', (action, more, status) => {
      const defaultAction = action === 'SCMP_ACT_ALLOW' ? 'SCMP_ACT_KILL_PROCESS' : 'SCMP_ACT_ALLOW';
      expect(calls(yielding(action, more, defaultAction), [[sched_yield()]]).status).toBe(status);
    });

    it.each([
      ['SCMP_CMP_NE', 5n, 0n, [4n, U64], [5n]],
      ['SCMP_CMP_LT', 5n, 0n, [4n], [5n, U64]],
      ['SCMP_CMP_LE', 5n, 0n, [4n, 5n], [6n, 1n << 32n]],
      ['SCMP_CMP_EQ', U64, 0n, [U64], [0xffffffffn, U64 - 1n]],
      ['SCMP_CMP_GE', 1n << 32n, 0n, [1n << 32n, U64], [0xffffffffn]],
      ['SCMP_CMP_GT', 5n, 0n, [6n, 1n << 63n], [5n]],
      ['SCMP_CMP_MASKED_EQ', 0xf0n, 0x30n, [0x30n, 0xf3fn], [0x20n]],
    ] as const)('compares by %s', (op: SeccompOperator, value, valueTwo, matching, others) => {
      const profile = yielding('SCMP_ACT_ERRNO', { errnoRet: 95, args: [{ index: 3, value, valueTwo, op }] });
      for (const argument of matching)
        expect([argument, calls(profile, [[sched_yield(), 0, 0, 0, argument]]).status]).toEqual([argument, 95]);
      for (const argument of others) expect([argument, calls(profile, [[sched_yield(), 0, 0, 0, argument]]).status]).toEqual([argument, 0]);
    });

    it('of the kind that engines ship lets a shell work, and denies', () => {
      const profile = { ...engineProfile(), defaultErrnoRet: 95 };
      const seen = ground().sh('grep Seccomp: /proc/self/status; ls / | wc -l; (echo in a pipe) | cat', under(profile));
      expect([seen.status, seen.lines]).toEqual([0, ['Seccomp:\t2', '6', 'in a pipe']]);
      expect(calls(profile, [['unshare', 0x20000]]).status).toBe(95);
      expect(calls(profile, [['socket', 40, 1, 0]]).status).toBe(95);
      expect(calls(profile, [['clone3', 0, 0]]).status).toBe(38);
    });

    it('answers ENOSYS to calls that are newer than the profile, of its own size or tiny', () => {
      expect(calls({ ...engineProfile(), defaultErrnoRet: 95 }, [[600]]).status).toBe(38);
      const kills: Seccomp = { defaultAction: 'SCMP_ACT_KILL', syscalls: [{ names: ['execve', 'exit_group'], action: 'SCMP_ACT_ALLOW' }] };
      expect(calls(kills, [[600]]).status).toBe(38);
      expect(calls(kills, [['getpid']]).status).toBe(SIGSYS_STATUS);
    });

    describe.each([[true], [false]])('with noNewPrivileges %s', (noNewPrivileges) => {
      it.each([
        ['root', 0],
        ['a user', 1000],
      ])('allows nothing but execve, write and exit_group to %s', (_who, uid) => {
        const minimal: Seccomp = {
          defaultAction: 'SCMP_ACT_KILL_PROCESS',
          syscalls: [{ names: ['execve', 'write', 'exit_group'], action: 'SCMP_ACT_ALLOW' }],
        };
        for (const created of [undefined, () => undefined]) {
          const change: Change = (config) => {
            config.process.noNewPrivileges = noNewPrivileges;
            config.process.user = { uid, gid: uid };
          };
          const options = created === undefined ? {} : { created };
          expect(calls(minimal, [['write', 1, 'done', 4]], change, options)).toMatchObject({ output: 'done', status: 252 });
        }
      });

      it.each([
        ['root', 0, {}],
        ['a user', 1000, {}],
        [
          'a user with ambient capabilities',
          1000,
          { ambient: ['CAP_KILL', 'CAP_NET_BIND_SERVICE'], inheritable: ['CAP_KILL', 'CAP_NET_BIND_SERVICE'] },
        ],
        ['a user without configured capabilities', 1000, undefined],
        ['root without configured capabilities', 0, undefined],
      ] as const)('leaves the capabilities of %s as they are', (_who, uid, capabilities) => {
        const change: Change = (config) => {
          config.process.noNewPrivileges = noNewPrivileges;
          config.process.user = { uid, gid: uid };
          if (capabilities === undefined) delete config.process.capabilities;
          else
            config.process.capabilities = { ...config.process.capabilities, ...structuredClone(capabilities) } as NonNullable<
              Draft['process']['capabilities']
            >;
        };
        const script = 'grep -E "^(Cap|NoNewPrivs)" /proc/self/status';
        const without = ground().sh(script, change);
        const filtered = ground().sh(script, under({ defaultAction: 'SCMP_ACT_ALLOW' }, change));
        expect(filtered.lines).toHaveLength(6);
        // Who has nothing configured keeps the bounding set of the runtime; what is inheritable is nothing anyway.
        expect(filtered.lines).toEqual(without.lines);
      });
    });

    it('is in the way of no limit on descriptors', () => {
      const change: Change = (config) => {
        config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 3, hard: 3 }];
      };
      const profile: Seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['prlimit64', 'getrlimit'], action: 'SCMP_ACT_ERRNO' }],
      };
      // EMFILE.
      expect(calls(profile, [['openat', -100, '/calls', 0, 0]], change, { created: () => undefined }).status).toBe(24);
    });

    it('holds for the startup of created containers and for executed processes', () => {
      const profile = yielding('SCMP_ACT_ERRNO', { errnoRet: 95 });
      const list: TinyCall[] = [[sched_yield()]];
      expect(calls(profile, list, undefined, { created: () => undefined }).status).toBe(95);
      const container = ground().create(
        under(profile, (config) => {
          config.process.args = ['sleep', '1000'];
        }),
        { rootfs: (path) => writeTinyElf(join(path, 'calls'), ground().sys.arch, list) },
      );
      ground().start(container);
      expect(ground().tsrun(['exec', container.id, '/calls'])).toEqual({ status: 95, stderr: '' });
      expect(ground().tsrun(['exec', '--user', '1000:1000', container.id, '/calls'])).toEqual({ status: 95, stderr: '' });
      ground().end(container);
    });

    describe('that is against execve itself', () => {
      const failure = (seccomp: Seccomp, stepwise: boolean): string => {
        const options: RunOptions = stepwise ? { created: () => undefined } : {};
        try {
          calls(seccomp, [[0]], undefined, options);
        } catch (error) {
          return error instanceof Error ? error.message.replace(/^start: /, '').replace(/^tsrun \w+ failed: /, '') : '';
        } finally {
          if (stepwise) for (const name of readdirSync(ground().root)) ground().tsrun(['delete', '--force', name]);
          ground().reap();
        }
        return 'no failure';
      };
      // The last name is that of a new call: what is newer than a profile is not subject to its default action.
      const allowing = (...names: string[]): Partial<Seccomp> => ({
        syscalls: [{ names: [...names, 'openat2'], action: 'SCMP_ACT_ALLOW' }],
      });

      it.each([[false], [true]])('is told of (by start: %s)', (stepwise) => {
        expect(failure({ defaultAction: 'SCMP_ACT_KILL_PROCESS', ...allowing('write') }, stepwise)).toMatch(
          /linux\.seccomp: the process was ended by SIGSYS at execve, which the seccomp filter forbids/,
        );
        expect(failure({ defaultAction: 'SCMP_ACT_ERRNO', ...allowing('write') }, stepwise)).toMatch(
          /linux\.seccomp: the process was ended by SIGILL at execve.*\nhint: .*with exit_group allowed/,
        );
        expect(failure({ defaultAction: 'SCMP_ACT_ERRNO', ...allowing('exit_group') }, stepwise)).toMatch(
          /execve \/calls: operation not permitted\n$/,
        );
        const denies: Seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 }],
        };
        expect(failure(denies, stepwise)).toMatch(/execve \/calls: input\/output error\n$/);
      });

      it('is not taken for what happens to a program that ends at once', () => {
        const profile: Seccomp = { defaultAction: 'SCMP_ACT_KILL_PROCESS', ...allowing('execve') };
        for (let attempt = 0; attempt < 5; attempt++) expect(calls(profile, [['getpid']]).status).toBe(SIGSYS_STATUS);
      });
    });

    describe('and hooks of startContainer', () => {
      const filtered = (seccomp: Seccomp, flags: readonly string[]): string => {
        const hook = { path: '/bin/sh', args: ['sh', '-c', 'grep Seccomp: /proc/self/status > /tmp/seen'] };
        const change = under(seccomp, (config) => {
          config.hooks = { startContainer: [hook] };
          config.process.args = ['cat', '/tmp/seen'];
        });
        return ground().run(change, flags.includes('create') ? { created: () => undefined } : {}).output;
      };

      it.each([['run'], ['create']])('filters them (%s)', (way) => {
        expect(filtered(yielding('SCMP_ACT_ERRNO'), [way])).toBe('Seccomp:\t2\n');
      });

      it('leaves them alone where it forbids what init needs to wait for them', () => {
        const syscalls: SeccompSyscall[] = [{ names: ['accept4'], action: 'SCMP_ACT_ERRNO' }];
        expect(filtered({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, ['create'])).toBe('Seccomp:\t0\n');
      });
    });

    it('that cannot be made leaves nothing, and names the place', () => {
      const args = [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' as const }];
      const syscalls: SeccompSyscall[] = [
        { names: ['read'], action: 'SCMP_ACT_ERRNO', args },
        { names: ['read'], action: 'SCMP_ACT_KILL', args },
      ];
      expect(ground().refused(under({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }))).toMatch(
        /linux\.seccomp\.syscalls\[1\]\.names\[0\]: libseccomp refuses the rule for read/,
      );
      expect(ground().refused(under({ defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }))).toMatch(
        /linux\.seccomp\.flags\[0\]: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV has no meaning without SCMP_ACT_NOTIFY/,
      );
    });

    it.each([[[]], [['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW']], [undefined]] as const)(
      'takes the flags %j',
      (flags) => {
        const profile = yielding('SCMP_ACT_ERRNO', { errnoRet: 95 });
        expect(calls(flags === undefined ? profile : { ...profile, flags }, [[sched_yield()]]).status).toBe(95);
      },
    );

    it('covers the other architectures of the machine', () => {
      const foreign = ground().sys.arch === 'x86_64' ? 'SCMP_ARCH_X86' : 'SCMP_ARCH_ARM';
      const profile: Seccomp = { ...yielding('SCMP_ACT_ERRNO', { errnoRet: 95 }), architectures: [foreign] };
      expect(calls(profile, [[sched_yield()]]).status).toBe(95);
    });

    it('is kept for the next container, where nobody else can change it', () => {
      calls(yielding('SCMP_ACT_ERRNO', { errnoRet: 77 }), [[sched_yield()]]);
      const cache = statSync('/run/tsrun-cache');
      expect([cache.mode & 0o7777, cache.uid]).toEqual([0o700, 0]);
      chmodSync('/run/tsrun-cache', 0o777);
      try {
        expect(calls(yielding('SCMP_ACT_ERRNO', { errnoRet: 77 }), [[sched_yield()]]).status).toBe(77);
      } finally {
        chmodSync('/run/tsrun-cache', 0o700);
      }
    });

    it('is in the plan', () => {
      const bundle = ground().bundle(under(yielding('SCMP_ACT_ERRNO')));
      expect(ground().tsrun(['plan', '--bundle', bundle]).stderr).toMatch(
        /load the seccomp filter: SCMP_ACT_ALLOW, but SCMP_ACT_ERRNO for 1, SCMP_ACT_ALLOW for 3 system calls +linux\.seccomp\n/,
      );
      const calls = ground().tsrun(['plan', '--syscalls', '--bundle', bundle]).stderr;
      // The last thing before execve.
      expect(calls).toMatch(/seccomp\(1, 4, \{\d+ instructions\}\)\n.*\n.*execve\(/);
    });
  });
});
