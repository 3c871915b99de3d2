import { findKnownDifference } from './harness/known-difference.ts';
import { inRange } from './harness/version.ts';
import { KNOWN_DIFFERENCES } from './known-differences/all.ts';
import { REQUIREMENTS } from './requirements/all.ts';
import { ALL_TESTS } from './tests/all.ts';

describe('the suite', () => {
  it('has at least 250 tests, each with an id of its own', () => {
    expect(ALL_TESTS.length).toBeGreaterThanOrEqual(250);
    expect(new Set(ALL_TESTS.map((test) => test.id)).size).toBe(ALL_TESTS.length);
  });

  it('has ids of three parts, in small letters', () => {
    expect(ALL_TESTS.map((test) => test.id).filter((id) => !/^[a-z-]+\/[a-z-]+\/[a-z0-9._-]+$/.test(id))).toEqual([]);
  });

  it('has a test for each requirement, or a reason why there can be none', () => {
    const covered = new Set<string>(ALL_TESTS.flatMap((test) => test.covers));
    const without = [...REQUIREMENTS].filter(([id, { untestable }]) => !covered.has(id) && untestable === undefined);
    expect(without.map(([id]) => id)).toEqual([]);
  });

  it('names requirements that exist', () => {
    expect(ALL_TESTS.flatMap((test) => test.covers).filter((id) => !REQUIREMENTS.has(id))).toEqual([]);
  });
});

describe('KNOWN_DIFFERENCES', () => {
  it('is about tests that exist, in ranges that can be read', () => {
    for (const entry of KNOWN_DIFFERENCES) {
      expect(() => inRange('1.0.0', entry.versions)).not.toThrow();
      for (const pattern of entry.tests) {
        const one = { ...entry, versions: '*', tests: [pattern] };
        expect({
          pattern,
          found: ALL_TESTS.some((test) => findKnownDifference([one], { name: entry.runtime, version: '1.0.0' }, test.id)),
        }).toEqual({ pattern, found: true });
      }
    }
  });
});
