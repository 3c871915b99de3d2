import { toDottedSysctl, toSysctlPath } from './sysctl-name.ts';

describe('sysctl names', () => {
  it.each([
    ['net.ipv4.ip_forward', 'net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/ip_forward', 'net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/conf/eno2.100/rp_filter', 'net.ipv4.conf.eno2/100.rp_filter', 'net/ipv4/conf/eno2.100/rp_filter'],
    ['net.ipv4.conf.eno2/100.rp_filter', 'net.ipv4.conf.eno2/100.rp_filter', 'net/ipv4/conf/eno2.100/rp_filter'],
    ['x', 'x', 'x'],
    ['', '', ''],
  ])('%s', (name, dotted, path) => {
    expect([toDottedSysctl(name), toSysctlPath(name)]).toEqual([dotted, path]);
  });
});
