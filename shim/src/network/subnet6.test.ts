import { isInSubnet6, localSubnet6, subnet6Of } from './subnet6.ts';

describe('subnet6Of', () => {
  it.each([
    ['fd00:1::/64', 'fd00:1::/64', 'fd00:1::1'],
    ['2001:DB8:0:0:1:0:0:7/112', '2001:db8:0:0:1::/112', '2001:db8::1:0:0:1'],
    ['fd00:0:0:1:ffff::9/64', 'fd00:0:0:1::/64', 'fd00:0:0:1::1'],
    ['::ffff:10.0.0.0/120', '::ffff:a00:0/120', '::ffff:a00:1'],
  ])('reads %s', (text, cidr, gateway) => {
    expect(subnet6Of(text)).toEqual({ cidr, gateway });
  });

  it.each(['fd00::/127', 'fd00::', 'fd00::/129', '10.0.0.0/24', 'fd00::%eth0/64', 'text'])('refuses %s', (text) => {
    expect(() => subnet6Of(text)).toThrow('subnet');
  });

  it('takes a gateway in it only', () => {
    expect(subnet6Of('fd00::/64', 'fd00::9').gateway).toBe('fd00::9');
    expect(() => subnet6Of('fd00::/64', 'fd01::9')).toThrow('gateway fd01::9 is not in subnet');
  });
});

describe('localSubnet6', () => {
  it('is of the local ones, another for each name, and the same again', () => {
    expect(localSubnet6('a').cidr).toMatch(/^fd[0-9a-f]{1,2}:[0-9a-f:]+::\/64$/);
    expect(localSubnet6('a')).toEqual(localSubnet6('a'));
    expect(localSubnet6('b')).not.toEqual(localSubnet6('a'));
  });
});

describe('isInSubnet6', () => {
  it('compares the prefix', () => {
    expect([
      isInSubnet6('fd00:1::ffff', 'fd00:1::/64'),
      isInSubnet6('fd00:2::1', 'fd00:1::/64'),
      isInSubnet6('10.0.0.1', 'fd00:1::/64'),
    ]).toEqual([true, false, false]);
  });
});
