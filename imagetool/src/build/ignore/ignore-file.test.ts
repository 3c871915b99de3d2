import { fc, runs } from '../../../../.scripts/jest/fuzz.ts';
import { ignorePatterns, parseIgnoreFile, type Verdict } from './ignore-file.ts';
import { hasWildcards, pathMatcher, splitPattern } from './pattern.ts';

function ignores(patterns: readonly string[], path: string): boolean {
  return parseIgnoreFile(patterns.join('\n')).decide(path).ignored;
}

describe('one pattern', () => {
  it.each([
    // [pattern, ignored paths, paths that stay]
    ['a', ['a', 'a/b', 'a/b/c'], ['b/a', 'ab']],
    ['/a', ['a', 'a/b'], ['b/a']],
    ['a/', ['a', 'a/b'], ['ab']],
    ['./a//b/../c', ['a/c', 'a/c/d'], ['a/b', 'a']],
    ['../a', [], ['a']],
    ['.', [], ['a', '.a']],
    ['/', [], ['a']],
    ['*', ['a', 'a/b', '.hidden'], []],
    ['*.md', ['x.md', '.md', 'x.md/y'], ['d/x.md', 'x.mdx']],
    ['*/*.md', ['d/x.md'], ['x.md', 'd/e/x.md']],
    ['**/*.md', ['x.md', 'd/x.md', 'd/e/x.md'], ['x.mdx']],
    ['**', ['a', 'a/b'], []],
    ['**/a', ['a', 'b/a', 'b/c/a/d'], ['ba', 'b/ca']],
    ['**a', ['a', 'ba', 'b/ca'], ['ab']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'ab']],
    ['a**', ['a', 'ab', 'a/b'], ['ba']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b/z'], ['a/xb', 'a']],
    ['a/**/*.c', ['a/x.c', 'a/b/c/x.c'], ['x.c']],
    ['**/a/**', ['a/b', 'x/a/b'], ['a', 'x/a']],
    ['a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c']],
    ['a-*', ['a-b', 'a-'], ['ab']],
    ['a[+\\-x]*-[^\\]a\\-]', ['a+-b', 'a-x-b'], ['a+-a', 'ay-b']],
    ['?', ['a', '\u{1F600}'], ['ab', 'xy/a']],
    ['a?c', ['abc'], ['a/c', 'ac']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x']],
    ['[^a-c]x', ['dx'], ['ax']],
    ['a[\\]]b', ['a]b'], ['ab']],
    ['a\\*b', ['a*b'], ['axb']],
    ['\\a', ['a'], ['\\a']],
    ['a.c', ['a.c'], ['abc']],
    ['a(b|c)+$', ['a(b|c)+$'], ['ab', 'ac']],
    ['a{b}', ['a{b}'], ['abb']],
    ['lib-1.0+g08-py3.whl', ['lib-1.0+g08-py3.whl'], ['lib-1.0gg08-py3.whl']],
    ['A', ['A'], ['a']],
    ['  a  ', ['a'], ['  a  ']],
    ['a b', ['a b'], ['a']],
    [' #a', ['#a'], []],
    ['\u00E4*', ['\u00E4x'], ['ax']],
  ])('%j', (pattern, ignored, kept) => {
    expect(ignored.filter((path) => !ignores([pattern], path))).toEqual([]);
    expect(kept.filter((path) => ignores([pattern], path))).toEqual([]);
  });
});

describe('several patterns', () => {
  it.each([
    [['a', '!a/b'], 'a/b', false],
    [['a', '!a/b'], 'a/c', true],
    [['a', '!a/b'], 'a/b/c', false],
    [['!a/b', 'a'], 'a/b', true],
    [['*', '!src', '!src/**'], 'src/x/y', false],
    [['*', '!src'], 'src/x', false],
    [['*', '!src'], 'other', true],
    [['*', '!src', 'src/*.o'], 'src/x.o', true],
    [['*', '!src', 'src/*.o', '!src/keep.o'], 'src/keep.o', false],
    [['*.md', '! README.md'], 'README.md', false],
    [['**/node_modules', '!packages/a/node_modules/x'], 'packages/a/node_modules/x', false],
    [['**/node_modules', '!packages/a/node_modules/x'], 'packages/a/node_modules/y', true],
    [['#a', 'b'], '#a', false],
    [['', '   ', '\r', 'b\r'], 'b', true],
    [[], 'a', false],
  ])('%j on %s', (patterns, path, ignored) => {
    expect(ignores(patterns, path)).toBe(ignored);
  });

  it('tells the line that decides', () => {
    const file = parseIgnoreFile('\uFEFF# comment\n\n*\n!src\nsrc/*.o\n', 'x.dockerignore');
    expect(file.decide('doc/a').rule).toEqual({ pattern: '*', negated: false, line: 3 });
    expect(file.decide('src/a.c').rule).toEqual({ pattern: 'src', negated: true, line: 4 });
    expect(file.decide('src/a.o')).toMatchObject({ ignored: true, rule: { line: 5 } });
    expect(parseIgnoreFile('a').decide('b').rule).toBeUndefined();
  });

  it.each([
    [['a'], 'a', true],
    [['a'], 'b', false],
    [['a', '!a/b'], 'a', false],
    [['a', '!a/b'], 'a/c', true],
    [['a', '!c'], 'a', true],
    [['*', '!src/**/*.c'], 'doc', true],
    [['*', '!src/**/*.c'], 'src', false],
    [['*', '!src/**/*.c'], 'src/x/y', false],
    [['*', '!s*/x'], 'src', false],
    [['*', '!s*/x'], 'doc', true],
    [['*', '!**/x'], 'doc', false],
    [['*', '!src'], 'doc', true],
  ])('%j: the walk may skip %s: %s', (patterns, directory, skips) => {
    const file = parseIgnoreFile(patterns.join('\n'));
    expect(file.canSkip(directory, file.decide(directory))).toBe(skips);
  });

  it.each([
    ['!', ':1: "!" is no pattern'],
    ['a\n[', ':2: "[" is no pattern'],
    ['[]a]', 'is no pattern'],
    ['[a-]', 'is no pattern'],
    ['a\\', 'is no pattern'],
  ])('refuses %j', (text, message) => {
    expect(() => parseIgnoreFile(text)).toThrow(
      expect.objectContaining({ code: 'ignore-file', message: expect.stringContaining(message) }),
    );
  });

  it('takes patterns that are in no file', () => {
    expect(ignorePatterns(['*.md', '!a.md'], '--exclude').decide('b.md').rule?.line).toBe(1);
  });
});

describe('a walk', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'a.b', '.c');
  const pattern = fc
    .array(fc.oneof(name, fc.constantFrom('*', '**', '?', 'a*', '*b', '[ab]', '[^a]', '**b', '*-', '[\\-a]', '\\a*', '{a}*')), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join('/'));
  const rules = fc.array(
    fc.tuple(fc.constantFrom('', '!', ''), pattern).map((pair) => pair.join('')),
    { maxLength: 5 },
  );

  it('decides with the verdict of the directory as it does without, and skips nothing that stays', () => {
    fc.assert(
      fc.property(rules, fc.array(name, { minLength: 1, maxLength: 5 }), (patterns, path) => {
        const file = parseIgnoreFile(patterns.join('\n'));
        let directory: Verdict | undefined;
        let skipped = false;
        for (let length = 1; length <= path.length; length += 1) {
          const here = path.slice(0, length).join('/');
          const verdict: Verdict = file.decide(here, directory);
          if (skipped) expect(verdict.ignored).toBe(true);
          skipped ||= file.canSkip(here, verdict);
          directory = verdict;
        }
      }),
      runs(500),
    );
  });
});

describe('pathMatcher', () => {
  it.each([
    ['*.go', ['a.go', '.go'], ['a/b.go', 'a.c']],
    ['a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c']],
    ['**/c', ['a/c'], ['c', 'a/b/c']],
    ['a\\*', ['a*'], ['ab']],
    ['[a-z]?', ['ab', 'z1'], ['A1', 'a']],
    ['a.b', ['a.b'], ['axb']],
    ['home*', ['home', 'home\n'], ['xhome']],
  ])('%j', (pattern, matching, others) => {
    const matches = pathMatcher(pattern);
    expect(matching.filter((path) => matches?.(path) !== true)).toEqual([]);
    expect(others.filter((path) => matches?.(path) !== false)).toEqual([]);
  });

  it.each([
    ['a', false],
    ['a*', true],
    ['a\\*', false],
    ['a\\\\*', true],
    ['[a]', true],
    ['a?', true],
  ])('hasWildcards(%j) is %s', (pattern, expected) => {
    expect(hasWildcards(pattern)).toBe(expected);
  });

  it.each([
    ['a/b*/c', 'a', ['b*', 'c']],
    ['*.c', '', ['*.c']],
    ['a/b/c', 'a/b', ['c']],
    ['/a/*', '/a', ['*']],
  ])('splitPattern(%j)', (pattern, directory, components) => {
    expect(splitPattern(pattern)).toEqual({ directory, components });
  });
});
