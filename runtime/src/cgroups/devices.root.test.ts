import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { DeviceCgroup } from '../../../specs/runtime/linux/resources.ts';
import { close } from '../linux/files.ts';
import { syscallNumber } from '../linux/syscall-numbers.ts';
import { createNodeSys } from '../sys/node.ts';
import type { CallArgument, Sys } from '../sys/sys.ts';
import type { Cgroup } from './create.ts';
import { devicePolicy } from './device-rules.ts';
import { attachDevicePolicy } from './devices.ts';
import { CgroupFixture } from './test/fixture.ts';

const sys = createNodeSys();
const KMSG = '/tmp/tsrun-test-kmsg';
const denyAll: DeviceCgroup = { allow: false, access: 'rwm' };
const kmsg: DeviceCgroup = { allow: true, type: 'c', major: 1, minor: 11, access: 'rwm' };
let fixture: CgroupFixture;
let cgroup: Cgroup;

function policy(...rules: DeviceCgroup[]): ReturnType<typeof devicePolicy> {
  return devicePolicy(rules, []);
}

/** What a process in the cgroup gets when it opens a device for reading. */
async function opens(path: string): Promise<boolean> {
  return (await fixture.start(cgroup, 'sh', ['-c', `exec 2>/dev/null; exec 3<${path}`]).ended) === 0;
}

beforeAll(() => {
  fixture = new CgroupFixture(sys, 'devices');
  execFileSync('mknod', [KMSG, 'c', '1', '11']);
});

afterAll(() => rmSync(KMSG, { force: true }));

beforeEach(() => {
  cgroup = fixture.create('a', { wanted: [] });
});

afterEach(async () => {
  close(sys, cgroup.fd);
  await fixture.dispose();
});

describe('attachDevicePolicy', () => {
  it('denies what is not allowed, and allows mknod', async () => {
    expect(await opens(KMSG)).toBe(true);
    expect(attachDevicePolicy(sys, cgroup.fd, policy(denyAll), { isNew: true })).toBe(true);
    expect(await opens(KMSG)).toBe(false);
    expect(await opens('/dev/zero')).toBe(true);
    const made = '/tmp/tsrun-test-node';
    expect(
      await fixture.start(cgroup, 'sh', [
        '-c',
        `rm -f ${made}; mknod ${made} c 1 11 && ! (exec 3<${made}); code=$?; rm -f ${made}; exit $code`,
      ]).ended,
    ).toBe(0);
  });

  it('replaces the policy of before', async () => {
    attachDevicePolicy(sys, cgroup.fd, policy(denyAll), { isNew: true });
    for (const [rules, expected] of [
      [[denyAll, kmsg], true],
      [[denyAll], false],
      [[{ allow: true, access: 'rwm' }], true],
    ] as const) {
      attachDevicePolicy(sys, cgroup.fd, policy(...rules), { isNew: false });
      expect(await opens(KMSG)).toBe(expected);
    }
    const shown = execFileSync('sh', ['-c', 'command -v bpftool >/dev/null && bpftool cgroup show "$0" || true', cgroup.directory], {
      encoding: 'utf8',
    });
    if (shown !== '') expect(shown.match(/tsrun_devices/g)).toHaveLength(1);
  });

  it('finds a program that was left on the cgroup', async () => {
    attachDevicePolicy(sys, cgroup.fd, policy(denyAll), { isNew: false });
    attachDevicePolicy(sys, cgroup.fd, policy(denyAll, kmsg), { isNew: false });
    expect(await opens(KMSG)).toBe(true);
  });

  it('lets the kernel verify long lists', async () => {
    const many = Array.from(
      { length: 300 },
      (_, index): DeviceCgroup => ({ allow: index % 3 !== 0, type: 'c', major: 200 + index, minor: index, access: 'rw' }),
    );
    attachDevicePolicy(sys, cgroup.fd, policy(denyAll, ...many, { ...kmsg, access: 'r' }), { isNew: true });
    expect(await opens(KMSG)).toBe(true);
    expect(await opens('/dev/zero')).toBe(true);
  });

  describe('without the privilege', () => {
    const EPERM = 1;
    const denied: Sys = Object.create(sys, {
      syscall: {
        value: (nr: number, ...args: CallArgument[]) => (nr === syscallNumber(sys.arch, 'bpf') ? -EPERM : sys.syscall(nr, ...args)),
      },
    });

    it('says so', () => {
      expect(() => attachDevicePolicy(denied, cgroup.fd, policy(denyAll), { isNew: true })).toThrow(
        'linux.resources.devices cannot be applied: bpf: operation not permitted; run as root',
      );
    });

    it('does without an optional allow-list, but not without a denial', () => {
      expect(attachDevicePolicy(denied, cgroup.fd, policy(denyAll, kmsg), { isNew: true, optional: true })).toBe(false);
      expect(() =>
        attachDevicePolicy(denied, cgroup.fd, policy(kmsg, { ...kmsg, allow: false }), { isNew: true, optional: true }),
      ).toThrow();
    });
  });
});
