import type { NamespaceType } from '../../../../specs/runtime/linux/namespaces.ts';
import { findErrors } from '../test/findings.ts';

const MAPPINGS = [{ containerID: 0, hostID: 0, size: 1 }];

function findSysctlErrors(name: string, ...types: NamespaceType[]): string[] {
  const maps = types.includes('user') ? { uidMappings: MAPPINGS, gidMappings: MAPPINGS } : {};
  return findErrors({ linux: { namespaces: types.map((type) => ({ type })), sysctl: { [name]: '1' }, ...maps } });
}

describe('sysctlErrors', () => {
  it.each<[string, NamespaceType]>([
    ['kernel.msgmax', 'ipc'],
    ['kernel/shm_rmid_forced', 'ipc'],
    ['fs.mqueue.msg_max', 'ipc'],
    ['net.ipv4.ip_forward', 'network'],
    ['net/ipv4/conf/eno2.100/rp_filter', 'network'],
    ['user.max_user_namespaces', 'user'],
    ['kernel.domainname', 'uts'],
  ])('accepts %s with a namespace of the type %s only', (name, type) => {
    expect(findSysctlErrors(name, type)).toEqual([]);
    expect(findSysctlErrors(name, 'mount')).toEqual([`sysctl-namespaced linux.sysctl["${name}"]`]);
  });

  it.each(['kernel.panic', 'vm.swappiness', 'fs.file-max', 'network.x', '', 'kernel.shm_next_id', 'fs.mqueue', 'net'])(
    'refuses %j',
    (name) => {
      const found = findSysctlErrors(name, 'mount', 'pid', 'network', 'ipc', 'uts', 'user', 'cgroup', 'time');
      expect(found).toEqual([expect.stringMatching(/^sysctl-namespaced linux\.sysctl/)]);
    },
  );

  it('refuses kernel.hostname even with a uts namespace', () => {
    expect(findSysctlErrors('kernel/hostname', 'uts')).toEqual(['sysctl-hostname linux.sysctl["kernel/hostname"]']);
  });
});
