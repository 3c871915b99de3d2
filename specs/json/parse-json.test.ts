import { fc, runs } from '../../.scripts/jest/fuzz.ts';
import { JsonError } from './json-error.ts';
import { JsonReader } from './json-reader.ts';
import type { JsonValue } from './json-value.ts';
import { parseJson } from './parse-json.ts';
import { stringifyJson } from './stringify-json.ts';

/** The message of the error that `text` gives. */
function errorOf(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return error.message;
    throw error;
  }
  return 'no error';
}

/** What both ways of reading make of the text: they must never differ. */
function readBothWays(text: string): JsonValue {
  const value = parseJson(text);
  expect(new JsonReader(text, 64).readDocument()).toEqual(value);
  return value;
}

describe('parseJson', () => {
  it.each([
    ['null', null],
    [' true ', true],
    ['"a"', 'a'],
    ['-0.5e1', -5],
    ['1E2', 100],
    ['[]', []],
    ['[1, [2, []]]', [1, [2, []]]],
    ['""', ''],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u00e9\\u2028"', 'é\u2028'],
    ['"\\ud83d\\ude00 😀"', '😀 😀'],
    ['"\\\\ud800"', '\\ud800'],
    ['":8080"', ':8080'],
    ['"\\":"', '":'],
    ['\t{ "a" : { "b" : [ ] } }\r\n', { a: { b: [] } }],
    ['{"":1}', { '': 1 }],
  ])('reads %s', (text, expected) => {
    // Objects have no prototype, so they are compared by their text.
    expect(JSON.stringify(readBothWays(text))).toBe(JSON.stringify(expected));
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['123456789012345678901234567890', 123456789012345678901234567890n],
    ['1e20', 1e20],
  ])('keeps %s exact', (text, expected) => {
    expect(readBothWays(text)).toBe(expected);
    expect(readBothWays(`{"a":[${text}]}`)).toHaveProperty(['a', 0], expected);
  });

  it.each([
    ['', 'line 1, column 1: expected a value, found the end of the text'],
    ['{"a":1}x', 'line 1, column 8: "x" after the end of the document'],
    ['{"a":1,}', 'line 1, column 8: expected a key in quotation marks, found "}"'],
    ['{"a" 1}', 'line 1, column 6 (a): expected ":" after the key, found "1"'],
    ['{"a":1 "b":2}', 'line 1, column 8: expected "," or "}", found "\\""'],
    ["{'a':1}", 'line 1, column 2: expected a key in quotation marks, found "\'"'],
    ['[1,]', 'line 1, column 4 ([1]): expected a value, found "]"'],
    ['[1 2]', 'line 1, column 4: expected "," or "]", found "2"'],
    ['[1', 'line 1, column 3: expected "," or "]", found the end of the text'],
    ['// no', 'line 1, column 1: expected a value, found "/"'],
    ['\ufeff{}', 'line 1, column 1: expected a value, found "\ufeff"'],
    ['"abc', 'line 1, column 5: the string does not end'],
    ['"a\tb"', 'line 1, column 3: "\\t" within a string: write it as an escape'],
    ['"\\x"', 'line 1, column 2: there is no escape "\\\\x"'],
    ['"\\', 'line 1, column 2: there is no escape "\\\\"'],
    ['"\\u12g4"', 'line 1, column 2: "\\u" needs four hexadecimal digits'],
    ['"\\ud800"', 'line 1, column 2: an escape that is only half of a surrogate pair'],
    ['"\\ud800\\u0041"', 'line 1, column 2: an escape that is only half of a surrogate pair'],
    ['"x\\udc00"', 'line 1, column 3: an escape that is only half of a surrogate pair'],
    ['{\n  "a": {\n    "b": [0, tru]\n  }\n}', 'line 3, column 14 (a.b[1]): "tru" is not a JSON value'],
    ['1e999', 'line 1, column 1: the number is too large'],
    ...['01', '1.', '.5', '+1', '-', '1e', '0x10', '1_0', 'NaN', 'Infinity', 'undefined', 'nulls', 'True', '--1', '1.5.2'].map((word) => [
      word,
      `line 1, column 1: ${JSON.stringify(word)} is not a JSON value`,
    ]),
  ])('refuses %j', (text, expected) => {
    expect(errorOf(text)).toBe(expected);
  });

  it.each([
    ['{"a":1,"a":1}', 'line 1, column 8 (a): the key "a" is given twice'],
    ['{"a":{"b":1,\n"b":2}}', 'line 2, column 1 (a.b): the key "b" is given twice'],
    ['[{"x.y":1,"x.y" :2}]', 'line 1, column 11 ([0]["x.y"]): the key "x.y" is given twice'],
    ['{"a":1,"\\u0061":2}', 'line 1, column 8 (a): the key "a" is given twice'],
    ['{"__proto__":1,"__proto__":2}', 'line 1, column 16 (__proto__): the key "__proto__" is given twice'],
    // A string that looks like a key and one that is missing its usual form: neither makes up for the duplicate.
    ['{"a" : ":", "a"\t:1}', 'line 1, column 13 (a): the key "a" is given twice'],
  ])('refuses the duplicate in %s', (text, expected) => {
    expect(errorOf(text)).toBe(expected);
  });

  it('takes the keys of inherited names as ordinary ones', () => {
    const value = parseJson('{"__proto__":{"polluted":true},"constructor":1}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(value['toString']).toBeUndefined();
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('gives no object a prototype, whichever way it is read', () => {
    for (const text of ['{"a":[{}]}', '{"a":[{}],"b":18446744073709551615}']) {
      const value = parseJson(text) as { a: [object] };
      expect([Object.getPrototypeOf(value), Object.getPrototypeOf(value.a[0])]).toEqual([null, null]);
    }
  });

  it('limits the depth', () => {
    const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(errorOf(nest(64))).toBe('no error');
    expect(errorOf(nest(65))).toMatch(/nested deeper than 64 levels$/);
    expect(errorOf('{"a":'.repeat(100_000))).toMatch(/nested deeper than 64 levels$/);
  });

  it('limits the length', () => {
    expect(() => parseJson(' '.repeat(11), { maxLength: 10, maxDepth: 1 })).toThrow('the text is longer than 10 characters');
    expect(errorOf(' '.repeat(17 * 1024 * 1024))).toMatch(/longer than 16777216 characters$/);
  });

  it('agrees with JSON.parse on all JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\t', '  \n'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        fc.pre(!/\\u[dD][89a-fA-F]/.test(text));
        expect(stringifyJson(readBothWays(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('accepts and refuses what JSON.parse does, duplicates and halves of surrogate pairs aside', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"\\n"',
      '1',
      '-',
      '.5',
      'e3',
      'true',
      'null',
      ' ',
      '\n',
      '"',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');
        let native: string | undefined;
        try {
          native = JSON.stringify(JSON.parse(text));
        } catch {
          native = undefined;
        }
        const error = errorOf(text);
        if (native === undefined) expect(error).not.toBe('no error');
        else if (!error.includes('is given twice')) expect(stringifyJson(parseJson(text))).toBe(native);
      }),
      runs(2000),
    );
  });
});
