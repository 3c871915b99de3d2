import { firstDifference, type Input, keyOf } from './inputs.ts';

const inputs = (values: Readonly<Record<string, string>>): Input[] => Object.entries(values).map(([name, value]) => ({ name, value }));

describe('keyOf', () => {
  it('tells apart what runs together as text', () => {
    const keys = [{ a: 'bc' }, { ab: 'c' }, { a: 'b', c: '' }, { a: 'b' }, {}].map((one) => keyOf(inputs(one)));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('firstDifference', () => {
  it.each([
    [{ a: '1', b: '2' }, { a: '1', b: '2' }, undefined],
    [
      { a: '1', b: '2' },
      { a: '1', b: '3' },
      { name: 'b', before: '2', now: '3' },
    ],
    [{ a: '1' }, { a: '1', b: '2' }, { name: 'b', now: '2' }],
    [{ a: '1', b: '2' }, { b: '2' }, { name: 'a', before: '1' }],
    [
      { b: '2', a: '1' },
      { a: '0', b: '0' },
      { name: 'a', before: '1', now: '0' },
    ],
  ])('%j and %j', (before, now, expected) => {
    expect(firstDifference(inputs(before), inputs(now))).toEqual(expected);
  });
});
