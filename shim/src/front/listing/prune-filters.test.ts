import type { Arguments } from '../cli/flags.ts';
import { pruneFilter } from './prune-filters.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const all = ['until', 'label', 'label!'];
const withFilters = (...words: string[]): Arguments => ({
  positionals: [],
  has: () => true,
  flag: () => false,
  value: () => words.at(-1),
  values: () => words,
});

describe('pruneFilter', () => {
  const old = { created: '2026-01-01T08:00:00Z', labels: { keep: 'yes', tier: 'front' } };
  const young = { created: '2026-01-01T11:59:00Z', labels: {} };

  it.each([
    [[], [true, true]],
    [['until=1h'], [true, false]],
    [['until=2026-01-01T11:59:30Z'], [true, true]],
    [['label=keep'], [true, false]],
    [['label=keep=no'], [false, false]],
    [['label!=keep'], [false, true]],
    [
      ['label=keep', 'label=tier=front'],
      [true, false],
    ],
  ])('%j', (words, expected) => {
    const passes = pruneFilter(withFilters(...words), all, now);
    expect([old, young].map(passes)).toEqual(expected);
  });

  it('refuses filters that this kind does not have', () => {
    expect(() => pruneFilter(withFilters('until=1h'), ['label'], now)).toThrow("invalid filter 'until'");
    expect(() => pruneFilter(withFilters('dangling'), all, now)).toThrow('bad format of filter');
  });
});
