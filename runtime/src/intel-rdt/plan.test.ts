import { agrees, planRdt } from './plan.ts';

describe('planRdt', () => {
  it('names a group of its own after the container', () => {
    expect(planRdt({}, 'c1')).toEqual({ group: 'c1', schemata: [], compared: [], mustExist: false, own: true, monitoring: undefined });
  });

  it('joins a named group, which must be there where no schema is given', () => {
    expect(planRdt({ closID: 'gold' }, 'c1')).toMatchObject({ group: 'gold', mustExist: true, own: false });
    expect(planRdt({ closID: 'gold', schemata: ['L3:0=f'] }, 'c1')).toMatchObject({ group: 'gold', mustExist: false, own: false });
    expect(planRdt({ closID: '/', enableMonitoring: true }, 'c1')).toMatchObject({ group: '', mustExist: true, monitoring: 'c1' });
  });

  it('writes L3, memory bandwidth, and then the rest', () => {
    const rdt = { schemata: ['L2:0=3', 'MB:0=30'], memBwSchema: 'MB:0=20', l3CacheSchema: 'L3:0=f' };
    expect(planRdt(rdt, 'c1').schemata).toEqual(['L3:0=f', 'MB:0=20', 'L2:0=3', 'MB:0=30']);
    expect(planRdt(rdt, 'c1').compared).toEqual([]);
    expect(planRdt({ ...rdt, closID: 'gold' }, 'c1').compared).toEqual([
      { line: 'L3:0=f', configPath: 'linux.intelRdt.l3CacheSchema' },
      { line: 'MB:0=20', configPath: 'linux.intelRdt.memBwSchema' },
    ]);
  });

  it.each(['.', '..', 'a/b', '/a', 'info', 'mon_groups', 'mon_data'])('refuses the name %s', (closID) => {
    expect(() => planRdt({ closID }, 'c1')).toThrow(expect.objectContaining({ code: 'intel-rdt', configPath: 'linux.intelRdt.closID' }));
  });
});

describe('agrees', () => {
  const schemata = '    MB:0= 30;1=100\n    L3:0=00ff;1=0ff0\n';

  it.each([
    ['L3:0=ff', true],
    ['L3:0=FF;1=ff0', true],
    ['L3:1=ff0;0=ff', true],
    ['L3:0=fe', false],
    ['L3:0=ff;2=1', false],
    ['MB:0=30', true],
    // Rounded up in steps of ten.
    ['MB:0=21;1=100', true],
    ['MB:0=20', false],
    // The kernel says what it thinks of a resource that it does not have.
    ['L2:0=1', true],
  ])('compares %s', (wish, answer) => {
    expect(agrees(wish, schemata, 10)).toBe(answer);
  });
});
