import { forwardsOf, pastaWords } from './user-network.ts';

const everywhere = (HostPort: string) => ['0.0.0.0', '::'].map((HostIp) => ({ HostIp, HostPort }));

describe('ports of a user’s container', () => {
  it('are one where they are published on all addresses', () => {
    const ports = { '80/tcp': [...everywhere('8080'), { HostIp: '127.0.0.1', HostPort: '8081' }], '1194/udp': everywhere('1194') };
    expect(forwardsOf(ports)).toEqual([
      { host: '', hostPort: 8080, port: 80, protocol: 'tcp' },
      { host: '127.0.0.1', hostPort: 8081, port: 80, protocol: 'tcp' },
      { host: '', hostPort: 1194, port: 1194, protocol: 'udp' },
    ]);
  });

  it('are told to pasta, and nothing else is open', () => {
    const words = (ports: Parameters<typeof forwardsOf>[0]) => pastaWords(forwardsOf(ports)).join(' ');
    expect(words({})).toMatch(/-T none -U none -t none -u none$/);
    const both = { '80/tcp': [...everywhere('8080'), { HostIp: '127.0.0.1', HostPort: '8081' }], '53/udp': everywhere('5353') };
    expect(words(both)).toMatch(/-t 8080:80 -t 127.0.0.1\/8081:80 -u 5353:53$/);
  });
});
