import { fc } from '../../../../.scripts/jest/fuzz.ts';
import { parseVariant } from './parse-variant.ts';
import { splitSignature } from './value.ts';

describe('parseVariant', () => {
  it.each<[string, string, unknown]>([
    ['true', 'b', true],
    ['5', 'i', 5n],
    ['-5', 'i', -5n],
    ['0x10', 'i', 16n],
    ['1.5', 'd', 1.5],
    ['1e3', 'd', 1000],
    ['uint64 5000000', 't', 5000000n],
    ['uint64 18446744073709551615', 't', 2n ** 64n - 1n],
    ['int64 -9223372036854775808', 'x', -(2n ** 63n)],
    ['byte 255', 'y', 255n],
    ['double 3', 'd', 3],
    ["'text'", 's', 'text'],
    ['"it\'s"', 's', "it's"],
    ["'a\\'b\\n\\u00e9'", 's', "a'b\né"],
    ["objectpath '/a/b'", 'o', '/a/b'],
    ["['a', 'b']", 'as', ['a', 'b']],
    ['[uint32 1, 2]', 'au', [1n, 2n]],
    ['@as []', 'as', []],
    ['@au [1, 2]', 'au', [1n, 2n]],
    ["('a', uint64 1)", '(st)', ['a', 1n]],
    ["@a(st) [('/dev/sda', 5)]", 'a(st)', [['/dev/sda', 5n]]],
    ["<'x'>", 'v', { signature: 's', value: 'x' }],
    [
      "[<'x'>, <true>]",
      'av',
      [
        { signature: 's', value: 'x' },
        { signature: 'b', value: true },
      ],
    ],
    ['  true  ', 'b', true],
  ])('reads %s', (text, signature, value) => {
    expect(parseVariant(text)).toEqual({ signature, value });
  });

  it.each([
    '',
    'yes',
    "'open",
    '[1, true]',
    '[]',
    'byte 256',
    'uint32 -1',
    'int32 2147483648',
    '1 2',
    '(1',
    '[1 2]',
    '@q 1.5',
    "uint64 'a'",
    '@as [1]',
    '<1',
    '{1: 2}',
  ])('refuses %j', (text) => {
    expect(() => parseVariant(text)).toThrow(SyntaxError);
  });

  it('answers every text with a value or a SyntaxError', () => {
    const piece = fc.oneof(
      fc.constantFrom('true', '[', ']', '(', ')', ',', '<', '>', '@as', '@', 'uint64', '1', "'a'", ' ', '-', '0x'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          return parseVariant(pieces.join('')).signature !== '';
        } catch (error) {
          return error instanceof SyntaxError;
        }
      }),
    );
  });
});

describe('splitSignature', () => {
  it.each([
    ['', []],
    ['sa(sv)u', ['s', 'a(sv)', 'u']],
    ['aau(ii(s))a{sv}', ['aau', '(ii(s))', 'a{sv}']],
  ])('splits %j', (signature, types) => {
    expect(splitSignature(signature)).toEqual(types);
  });

  it.each(['a', '(s', 'z', ')'])('refuses %j', (signature) => {
    expect(() => splitSignature(signature)).toThrow(SyntaxError);
  });
});
