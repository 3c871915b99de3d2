import type { TestCase } from './test-case.ts';

/**
 * The tests whose id begins with one of the patterns, or which cover a requirement that does; parts are not cut: `process` does not match
 * `processes/x`. Without patterns, all tests. Throws when a pattern matches nothing.
 */
export function selectTests(tests: readonly TestCase[], patterns: readonly string[]): TestCase[] {
  for (const pattern of patterns) {
    if (!tests.some((test) => matches(test, pattern)))
      throw new Error(`no test and no requirement begins with ${JSON.stringify(pattern)}; --list shows them`);
  }
  return tests.filter((test) => patterns.length === 0 || patterns.some((pattern) => matches(test, pattern)));
}

function matches(test: TestCase, pattern: string): boolean {
  return [test.id, ...test.covers].some((id) => id === pattern || id.startsWith(pattern.endsWith('/') ? pattern : `${pattern}/`));
}
