import { fc } from '../../.scripts/jest/fuzz.ts';
import { parseJson } from './parse-json.ts';
import { stringifyJson } from './stringify-json.ts';

/** Any JSON value with integers of any size; a bigint stands only where a number would not do, as in the result of `parseJson`. */
const { value: anyJson } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    tie('scalar'),
    fc.array(tie('value')),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value')),
  ),
  scalar: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger().map((number) => number + 0),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  ),
}));

describe('stringifyJson', () => {
  it.each([
    [18446744073709551615n, '18446744073709551615'],
    [{ soft: 18446744073709551615n, hard: -9223372036854775808n }, '{"soft":18446744073709551615,"hard":-9223372036854775808}'],
    [[1n, [], {}, 'a"b', null, undefined], '[1,[],{},"a\\"b",null,null]'],
    [{ a: undefined, b: 1n }, '{"b":1}'],
    [{ a: undefined, b: 1 }, '{"b":1}'],
  ])('writes %p', (value, expected) => {
    expect(stringifyJson(value)).toBe(expected);
  });

  it('indents as JSON.stringify does', () => {
    const make = (number: number | bigint) => ({ a: [number, { b: {} }], c: { d: [] }, 'e f': 'g' });
    expect(stringifyJson(make(1n), '\t')).toBe(JSON.stringify(make(1), undefined, '\t'));
    expect(stringifyJson(make(1), '  ')).toBe(JSON.stringify(make(1), undefined, '  '));
  });

  it('is undone by parseJson', () => {
    fc.assert(
      fc.property(anyJson, fc.constantFrom('', '\t'), (value, indent) => {
        const text = stringifyJson(value, indent);
        const back = parseJson(text);
        expect(back).toEqual(withoutPrototypes(value));
        expect(stringifyJson(back, indent)).toBe(text);
      }),
    );
  });
});

function withoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (typeof value !== 'object' || value === null) return value;
  const bare = Object.create(null);
  for (const [key, member] of Object.entries(value)) bare[key] = withoutPrototypes(member);
  return bare;
}
