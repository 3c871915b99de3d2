import { compareVersions, inRange } from './version.ts';

describe('compareVersions', () => {
  it.each([
    ['1.1.5', '1.1.12'],
    ['1.0.0-rc.3', '1.0.0'],
    ['1.8.1', '1.28'],
    ['0.9', '1'],
    ['v1.2.3', '1.2.4+ds1'],
  ])('puts %s before %s', (left, right) => {
    expect(compareVersions(left, right)).toBeLessThan(0);
    expect(compareVersions(right, left)).toBeGreaterThan(0);
  });

  it('does not look at the build', () => {
    expect(compareVersions('1.1.5+ds1', '1.1.5')).toBe(0);
  });
});

describe('inRange', () => {
  it.each([
    ['1.1.5+ds1', '<1.2.0', true],
    ['1.2.0', '<1.2.0', false],
    ['1.2.0', '>=1.1.0 <=1.2.0', true],
    ['1.3.0', '>=1.1.0 <1.3.0', false],
    ['1.28', '*', true],
    ['1.28', '=1.28.0', true],
    ['1.2.0-rc.1', '<1.2.0', true],
  ])('says of %s in %s: %s', (version, range, expected) => {
    expect(inRange(version, range)).toBe(expected);
  });

  it('refuses what is not a range', () => {
    expect(() => inRange('1.0.0', '~1.0')).toThrow('not a range');
  });
});
