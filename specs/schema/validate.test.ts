import { parseJson } from '../json/parse-json.ts';
import {
  array,
  boolean,
  deprecated,
  int64,
  integer,
  map,
  matching,
  object,
  oneOf,
  optional,
  string,
  uint16,
  uint64,
} from './combinators.ts';
import type { Problem } from './problem.ts';
import { describeProblem } from './problem.ts';
import type { Infer } from './schema.ts';
import { validate } from './validate.ts';

const Wheel = object({ size: uint16, spokes: optional(integer(1, 99)) }, { section: 'car.md#wheels' });

const Car = object(
  {
    name: string,
    color: optional(oneOf(['red', 'green'])),
    wheels: optional(array(Wheel, { minItems: 1 })),
    owners: optional(array(string)),
    distance: optional(uint64),
    balance: optional(int64),
    plate: optional(matching(/^[A-Z]+-[0-9]+$/, 'a number plate')),
    tags: optional(map(string, { section: 'car.md#tags' })),
    isOld: deprecated(boolean, 'nobody asks'),
    engine: optional(object({ power: optional(uint16) }, { unknown: 'error' })),
  },
  { section: 'car.md' },
);

function problemsOf(text: string): { errors: string[]; warnings: string[] } {
  const validation = validate(Car, parseJson(text));
  const show = (problems: readonly Problem[]) => problems.map(describeProblem);
  return { errors: validation.valid ? [] : show(validation.errors), warnings: show(validation.warnings) };
}

describe('validate', () => {
  it('accepts what fits', () => {
    const text = `{"name":"","color":"red","wheels":[{"size":16,"spokes":1}],"owners":["a"],"distance":18446744073709551615,
      "balance":-9223372036854775808,"plate":"X-1","tags":{"__proto__":"x","constructor":"y"},"engine":{}}`;
    expect(problemsOf(text)).toEqual({ errors: [], warnings: [] });
  });

  it.each([
    ['[]', 'an array: must be an object'],
    ['{}', 'name: is required (car.md)'],
    ['{"name":null}', 'name = null: must be a string (car.md)'],
    ['{"name":1}', 'name = 1: must be a string (car.md)'],
    ['{"name":"a","color":"gren"}', 'color = "gren": must be one of red, green (did you mean green?) (car.md)'],
    ['{"name":"a","color":3}', 'color = 3: must be one of red, green (car.md)'],
    ['{"name":"a","wheels":[]}', 'wheels = an array: must be an array of at least 1 element (car.md)'],
    ['{"name":"a","wheels":{}}', 'wheels = an object: must be an array of at least 1 element (car.md)'],
    ['{"name":"a","wheels":[{"size":65536}]}', 'wheels[0].size = 65536: must be an integer from 0 to 65535 (car.md#wheels)'],
    ['{"name":"a","wheels":[{"size":-1}]}', 'wheels[0].size = -1: must be an integer from 0 to 65535 (car.md#wheels)'],
    ['{"name":"a","wheels":[{"size":1.5}]}', 'wheels[0].size = 1.5: must be an integer from 0 to 65535 (car.md#wheels)'],
    ['{"name":"a","wheels":[{"size":"1"}]}', 'wheels[0].size = "1": must be an integer from 0 to 65535 (car.md#wheels)'],
    ['{"name":"a","owners":["x",null]}', 'owners[1] = null: must be a string (car.md)'],
    [
      '{"name":"a","distance":18446744073709551616}',
      'distance = 18446744073709551616: must be an integer from 0 to 18446744073709551615 (car.md)',
    ],
    ['{"name":"a","distance":-1}', 'distance = -1: must be an integer from 0 to 18446744073709551615 (car.md)'],
    ['{"name":"a","distance":1e20}', 'distance = 100000000000000000000: must be an integer from 0 to 18446744073709551615 (car.md)'],
    [
      '{"name":"a","balance":9223372036854775808}',
      'balance = 9223372036854775808: must be an integer from -9223372036854775808 to 9223372036854775807 (car.md)',
    ],
    ['{"name":"a","plate":"x"}', 'plate = "x": must be a number plate (car.md)'],
    ['{"name":"a","tags":{"a.b":1}}', 'tags["a.b"] = 1: must be a string (car.md#tags)'],
    ['{"name":"a","isOld":"yes"}', 'isOld = "yes": must be true or false (car.md)'],
    ['{"name":"a","engine":{"powr":1}}', 'engine.powr: is not a known property; did you mean "power"? (car.md)'],
  ])('finds the error in %s', (text, expected) => {
    expect(problemsOf(text).errors).toEqual([expected]);
  });

  it('finds all errors, in the order of the document', () => {
    const { errors } = problemsOf('{"wheels":[{"size":1},{"size":"x","spokes":0},5],"color":"blue"}');
    expect(errors.map((error) => error.split(/[ :]/, 1)[0])).toEqual(['wheels[1].size', 'wheels[1].spokes', 'wheels[2]', 'color', 'name']);
  });

  it.each([
    ['{"name":"a","colour":"red"}', 'colour: is not a known property and is ignored; did you mean "color"? (car.md)'],
    ['{"name":"a","zzz":null}', 'zzz: is not a known property and is ignored (car.md)'],
    ['{"name":"a","__proto__":1}', '__proto__: is not a known property and is ignored (car.md)'],
    ['{"name":"a","constructor":1}', 'constructor: is not a known property and is ignored (car.md)'],
    [
      '{"name":"a","wheels":[{"size":1,"Size":2}]}',
      'wheels[0].Size: is not a known property and is ignored; did you mean "size"? (car.md#wheels)',
    ],
    ['{"name":"a","isOld":true}', 'isOld: is deprecated: nobody asks (car.md)'],
  ])('warns about %s', (text, expected) => {
    expect(problemsOf(text)).toEqual({ errors: [], warnings: [expected] });
  });

  it('removes optional properties that are null, and strings that are empty', () => {
    const value = parseJson('{"name":"","color":"","plate":"","owners":null,"isOld":null,"wheels":[{"size":1,"spokes":null}]}');
    const validation = validate(Car, value);
    expect(validation).toMatchObject({ valid: true, warnings: [] });
    expect(JSON.stringify(value)).toBe('{"name":"","wheels":[{"size":1}]}');
  });

  it('gives the value its type', () => {
    const car: Infer<typeof Car> = { name: 'a', distance: 1n, wheels: [{ size: 3 }] };
    // @ts-expect-error: absent is not undefined
    const wrong: Infer<typeof Car> = { name: 'a', color: undefined };
    // @ts-expect-error: a choice is not any string
    const wrongChoice: Infer<typeof Car> = { name: 'a', color: 'blue' };
    expect(validate(Car, car)).toMatchObject({ valid: true });
    expect([wrong, wrongChoice].map((value) => validate(Car, value).valid)).toEqual([false, false]);
  });
});
