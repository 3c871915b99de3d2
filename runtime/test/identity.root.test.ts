import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Capabilities } from '../../specs/runtime/linux/capabilities.ts';
import { type Draft, type Mutable, onBothEngines, userNamespace } from './ground.ts';

const A = 'CAP_CHOWN';
const B = 'CAP_NET_BIND_SERVICE';
const C = 'CAP_KILL';
/** Masks as /proc/PID/status prints them. */
const MASK = { none: 0, a: 1 << 0, b: 1 << 10, c: 1 << 5 };
const hex = (mask: number): string => mask.toString(16).padStart(16, '0');
const { none, a, b, c } = MASK;

const ROOT = { uid: 0, gid: 0 };
const USER = { uid: 1000, gid: 1001 };

/** [user, sets, what the process has: inheritable, permitted, effective, bounding, ambient] */
const CAPABILITIES: readonly (readonly [typeof ROOT, Mutable<Capabilities> | undefined, readonly number[]])[] = [
  [ROOT, undefined, [none, none, none, none, none]],
  [ROOT, {}, [none, none, none, none, none]],
  [ROOT, { bounding: [A, B], effective: [A, B], permitted: [A, B] }, [none, a | b, a | b, a | b, none]],
  // For root execve(2) makes everything in the bounding set permitted and effective.
  [ROOT, { bounding: [A, B], effective: [A], permitted: [A, C] }, [none, a | b, a | b, a | b, none]],
  [ROOT, { bounding: [A], effective: [A], permitted: [A], inheritable: [A] }, [a, a, a, a, none]],
  [USER, { bounding: [A, B], effective: [A, B], permitted: [A, B] }, [none, none, none, a | b, none]],
  [USER, { bounding: [A, B], effective: [A, B], permitted: [A, B], inheritable: [B] }, [b, none, none, a | b, none]],
  [USER, { bounding: [A, B], effective: [A, B], permitted: [A, B], inheritable: [A, B], ambient: [B] }, [a | b, b, b, a | b, b]],
  [USER, { bounding: [C], permitted: [C], inheritable: [C], ambient: [C] }, [c, c, c, c, c]],
  [USER, { bounding: ['cap_kill', 'CHOWN', 'CAP_NOTHING', B], permitted: ['KILL'] }, [none, none, none, b, none]],
];

const like =
  (process: Partial<Draft['process']>) =>
  (config: Draft): void => {
    Object.assign(config.process, process);
  };

onBothEngines('the identity of the process', (ground) => {
  it.each(CAPABILITIES)('has capabilities: %j with %j', (user, capabilities, expected) => {
    const { lines } = ground().run((config) => {
      like({ user, args: ['grep', '^Cap', '/proc/self/status'], noNewPrivileges: false })(config);
      if (capabilities === undefined) delete config.process.capabilities;
      else config.process.capabilities = capabilities;
    });
    const names = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
    expect(lines).toEqual(names.map((name, index) => `${name}:\t${hex(expected[index] ?? 0)}`));
  });

  it('has every capability in a user namespace that asks for them, and leaves out what nobody knows', () => {
    const { lines } = ground().sh('grep ^CapEff /proc/self/status', (config) => {
      userNamespace(config);
      const set = [A, 'CAP_SYS_RESOURCE', 'CAP_SYS_MODULE', 'CAP_OF_TOMORROW'];
      config.process.capabilities = { bounding: set, effective: set, permitted: set };
    });
    expect(lines).toEqual([`CapEff:\t${hex(a | (1 << 24) | (1 << 16))}`]);
  });

  it('is its user, its group and its additional groups, and none of those of the runtime', () => {
    const script = 'grep -E "^(Uid|Gid|Groups)" /proc/self/status; umask; touch /tmp/file; stat -c "%a %u:%g" /tmp/file';
    const open = { rootfs: (path: string) => chmodSync(join(path, 'tmp'), 0o777) };
    const seen = (user: Draft['process']['user']): readonly string[] => {
      return ground()
        .sh(script, like(user === undefined ? {} : { user }), open)
        .lines.map((line) => line.trim());
    };
    expect(seen({ uid: 1000, gid: 1001, additionalGids: [5, 4_000_000_000, 1001] })).toEqual([
      'Uid:\t1000\t1000\t1000\t1000',
      'Gid:\t1001\t1001\t1001\t1001',
      'Groups:\t5 1001 4000000000',
      '0022',
      '644 1000:1001',
    ]);
    expect(seen({ uid: 4_294_967_294, gid: 0, umask: 0o77 })).toEqual([
      `Uid:${'\t4294967294'.repeat(4)}`,
      'Gid:\t0\t0\t0\t0',
      'Groups:',
      '0077',
      '600 4294967294:0',
    ]);
    expect(seen({ uid: 0, gid: 0, umask: 0 })).toEqual(['Uid:\t0\t0\t0\t0', 'Gid:\t0\t0\t0\t0', 'Groups:', '0000', '666 0:0']);
  });

  it('owns its standard streams, and can open them again', () => {
    const change = (config: Draft): void => {
      config.process.user = USER;
    };
    const { lines } = ground().sh('stat -L -c %u /proc/self/fd/1; echo again >> /proc/self/fd/1', change, { created: () => undefined });
    expect(lines).toEqual(['1000', 'again']);
  });

  it('can be kept from new privileges', () => {
    const flag = (noNewPrivileges: boolean): readonly string[] =>
      ground().sh('grep NoNewPrivs /proc/self/status', (config) => (config.process.noNewPrivileges = noNewPrivileges)).lines;
    expect([flag(true), flag(false)]).toEqual([['NoNewPrivs:\t1'], ['NoNewPrivs:\t0']]);
  });

  it('has a session keyring of its own, unless it shall not', () => {
    const bundle = ground().bundle((config) => {
      config.linux.maskedPaths = [];
      config.process.args = ['cat', '/proc/keys'];
    });
    // By name: keyrings of containers that have ended go when the kernel finds the time.
    const keys = (id: string, ...flags: string[]): string => ground().tsrun(['run', '-b', bundle, ...flags, id]).stderr;
    expect(keys('with-keys')).toMatch(/keyring +_ses\.with-keys/);
    expect(keys('without-keys', '--no-new-keyring')).not.toContain('_ses.without-keys');
  });

  it('has the descriptors that are to be preserved, and no others', () => {
    const { lines } = ground().sh('ls /proc/$$/fd; cat <&4; cat <&3', () => undefined, {
      flags: ['--preserve-fds', '2'],
      fds: [ground().open('first', 'one\n'), ground().open('second', 'two\n')],
    });
    expect(lines).toEqual(['0', '1', '2', '3', '4', 'two', 'one']);
    expect(ground().refused(() => undefined, { flags: ['--preserve-fds', '40'] })).toContain('--preserve-fds');
  });

  it('is told what it cannot have', () => {
    const message = (process: Partial<Draft['process']>): string => ground().refused(like(process));
    expect(message({ user: { uid: 4_294_967_295, gid: 0 } })).toContain('process.user.uid = 4294967295: must be at most 4294967294');
    expect(message({ user: { uid: -1, gid: 0 } })).toContain('process.user.uid = -1');
    expect(message({ user: { uid: 0, gid: 0, umask: 0o1000 } })).toContain('process.user.umask = 512');
    const denied = { bounding: [], permitted: [C], inheritable: [C] };
    expect(message({ capabilities: denied })).toContain('process.user: become the user: capset the capabilities: operation not permitted');
    expect(message({ apparmorProfile: 'some-profile' })).toContain('process.apparmorProfile: AppArmor is not enabled');
    expect(message({ selinuxLabel: 'some:label' })).toContain('process.selinuxLabel: SELinux is not enabled');
  });
});
