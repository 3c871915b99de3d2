import { hostsFile, resolvConf } from './name-files.ts';

describe('hostsFile', () => {
  it('knows localhost, added hosts, the container and its peers', () => {
    const text = hostsFile({
      extra: ['db:10.0.0.9', 'gw:host-gateway', 'six=2001:db8::1'],
      gateway: '10.89.0.1',
      own: [{ address: '10.89.0.2', names: ['abc'] }],
      peers: [{ address: '10.89.0.3', names: ['web', 'www'] }],
    });
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        '127.0.0.1\tlocalhost',
        '10.0.0.9\tdb',
        '10.89.0.1\tgw',
        '2001:db8::1\tsix',
        '10.89.0.2\tabc',
        '10.89.0.3\tweb www',
      ]),
    );
  });
});

describe('resolvConf', () => {
  const host = 'nameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch lan\noptions edns0\n';
  const nothing = { dns: [], search: [], options: [] };

  it('leaves out servers on the loopback of the host, which is another loopback', () => {
    expect(resolvConf({ host, ...nothing, isIsolated: true })).toBe('nameserver 10.0.0.1\nsearch lan\noptions edns0\n');
    expect(resolvConf({ host, ...nothing, isIsolated: false })).toBe(host);
  });

  it('takes what is given', () => {
    expect(resolvConf({ host, dns: ['1.1.1.1'], search: ['.'], options: ['ndots:2'], isIsolated: true })).toBe(
      'nameserver 1.1.1.1\noptions ndots:2\n',
    );
  });
});
