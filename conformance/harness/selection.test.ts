import { selectTests } from './filter.ts';
import { testCase } from './fixture.ts';
import { findKnownDifference } from './known-difference.ts';
import { parseMountInfo } from './mount-info.ts';
import { applyPatch } from './patch.ts';

describe('selectTests', () => {
  const tests = [testCase('process/cwd/set'), testCase('processes/x/y', { covers: ['linux/sysctl'] }), testCase('mounts/order/z')];

  it('takes all without a pattern', () => {
    expect(selectTests(tests, [])).toEqual(tests);
  });

  it.each([
    ['process', ['process/cwd/set']],
    ['process/cwd', ['process/cwd/set']],
    ['mounts/order/z', ['mounts/order/z']],
    ['linux/sysctl', ['processes/x/y']],
  ])('takes what %s begins', (pattern, ids) => {
    expect(selectTests(tests, [pattern]).map((test) => test.id)).toEqual(ids);
  });

  it('refuses a pattern that matches nothing', () => {
    expect(() => selectTests(tests, ['nothing'])).toThrow('"nothing"');
  });
});

describe('findKnownDifference', () => {
  const known = [{ runtime: 'runc', versions: '<1.2.0', tests: ['a/b', 'c/*'], reason: 'r', reference: 'x#1' }];

  it.each([
    ['runc', '1.1.5', 'a/b', true],
    ['runc', '1.1.5', 'c/d/e', true],
    ['runc', '1.1.5', 'a/b/c', false],
    ['runc', '1.2.0', 'a/b', false],
    ['crun', '1.1.5', 'a/b', false],
  ])('says of %s %s and %s: %s', (name, version, id, expected) => {
    expect(findKnownDifference(known, { name, version }, id) !== undefined).toBe(expected);
  });
});

describe('applyPatch', () => {
  it('sets, appends, removes, and makes what is missing', () => {
    const config = { process: { cwd: '/', env: ['A=1'] }, mounts: [{ destination: '/a' }] };
    applyPatch(config, {
      'process.cwd': undefined,
      'process.env+': ['B=2'],
      'mounts.0.type': 'none',
      'linux/sysctl/kernel.msgmax': '1',
      'mounts+': { destination: '/b' },
    });
    expect(config).toEqual({
      process: { env: ['A=1', 'B=2'] },
      mounts: [{ destination: '/a', type: 'none' }, { destination: '/b' }],
      linux: { sysctl: { 'kernel.msgmax': '1' } },
    });
  });
});

describe('parseMountInfo', () => {
  it('reads a line', () => {
    expect(parseMountInfo('36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n')).toEqual([
      {
        id: 36,
        parent: 35,
        device: '98:0',
        root: '/mnt1',
        point: '/mnt 2',
        options: ['rw', 'noatime'],
        propagation: ['master:1', 'shared:2'],
        type: 'ext3',
        source: '/dev/root',
        superOptions: ['rw', 'errors=continue'],
      },
    ]);
  });
});
