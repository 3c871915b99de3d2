import { chooseSubnet } from './subnet.ts';

const HEADER = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';

describe('chooseSubnet', () => {
  it('takes the first range that neither a network nor a route has', () => {
    const routes = `${HEADER}eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0000590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;
    expect(chooseSubnet({ used: ['10.89.1.0/24'], routes })).toEqual({
      cidr: '10.89.2.0/24',
      gateway: '10.89.2.1',
      first: '10.89.2.1',
      last: '10.89.2.254',
    });
  });

  it('takes what is wanted, and its gateway', () => {
    expect(chooseSubnet({ used: [], wanted: '172.30.5.7/16', gateway: '172.30.0.9' })).toMatchObject({
      cidr: '172.30.0.0/16',
      gateway: '172.30.0.9',
    });
  });

  it.each([['10.0.0.0/31'], ['10.0.0/24'], ['10.0.0.0/33'], ['text']])('refuses %s', (wanted) => {
    expect(() => chooseSubnet({ used: [], wanted })).toThrow('subnet');
  });

  it('refuses a gateway elsewhere', () => {
    expect(() => chooseSubnet({ used: [], wanted: '10.0.0.0/24', gateway: '10.0.1.1' })).toThrow('gateway 10.0.1.1 is not in subnet');
  });
});
