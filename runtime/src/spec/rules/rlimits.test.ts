import type { Rlimit } from '../../../../specs/runtime/process.ts';
import { findErrors } from '../test/findings.ts';

const INFINITY = 18446744073709551615n;

describe('rlimitErrors', () => {
  it.each<[Rlimit[], string[]]>([
    [[{ type: 'RLIMIT_NOFILE', soft: 1024, hard: INFINITY }], []],
    [[{ type: 'RLIMIT_NOFILE', soft: INFINITY, hard: INFINITY }], []],
    [[{ type: 'RLIMIT_CPU', soft: INFINITY, hard: 1024 }], ['rlimit-order process.rlimits[0].soft']],
    [[{ type: 'RLIMIT_CPU', soft: 2, hard: 1 }], ['rlimit-order process.rlimits[0].soft']],
    [
      [
        { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
        { type: 'RLIMIT_AS', soft: 1, hard: 1 },
        { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
      ],
      ['rlimit-duplicate process.rlimits[2].type'],
    ],
  ])('%p', (rlimits, expected) => {
    expect(findErrors({ process: { rlimits } })).toEqual(expected);
  });

  it('refuses an unknown type', () => {
    const rlimit = { type: 'RLIMIT_TEST', soft: 1, hard: 1 } as unknown as Rlimit;
    expect(findErrors({ process: { rlimits: [rlimit] } })).toEqual(['type process.rlimits[0].type']);
  });
});
