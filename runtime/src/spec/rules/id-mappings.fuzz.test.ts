/** Id maps, against what they mean id by id. */
import { fc, runs } from '../../../../.scripts/jest/fuzz.ts';
import type { IdMapping } from '../../../../specs/runtime/id-mapping.ts';
import { checkConfig } from '../load.ts';
import { ConfigError } from '../problems.ts';
import { makeConfig } from '../test/findings.ts';

const SMALL = 12;
const mapping = fc.record({
  containerID: fc.nat({ max: SMALL }),
  hostID: fc.nat({ max: SMALL }),
  size: fc.nat({ max: 5 }),
});
const edge = fc.record({
  containerID: fc.constantFrom(0, 1, 4294967293, 4294967294, 4294967295),
  hostID: fc.constantFrom(0, 100000, 4294967294),
  size: fc.constantFrom(1, 2, 65536, 4294967294, 4294967295),
});

function problems(uidMappings: readonly IdMapping[], uid: number): readonly string[] {
  const linux = {
    namespaces: [{ type: 'user' as const }, { type: 'mount' as const }],
    uidMappings,
    gidMappings: [{ containerID: 0, hostID: 0, size: 100 }],
  };
  try {
    checkConfig(makeConfig({ process: { user: { uid, gid: 0 } }, linux } as Parameters<typeof makeConfig>[0]));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ rule }) => rule);
  }
}

const ids = (from: number, size: number): number[] => Array.from({ length: size }, (_, index) => from + index);
const hasTwins = (list: readonly number[]): boolean => new Set(list).size < list.length;

describe('id maps', () => {
  it('are refused exactly when an id is mapped twice, from or to', () => {
    fc.assert(
      fc.property(
        fc.array(
          mapping.filter(({ size }) => size > 0),
          { minLength: 1, maxLength: 5 },
        ),
        (maps) => {
          const twice =
            hasTwins(maps.flatMap((map) => ids(map.containerID, map.size))) || hasTwins(maps.flatMap((map) => ids(map.hostID, map.size)));
          expect(problems(maps, maps[0]?.containerID ?? 0).includes('id-mapping-overlap')).toBe(twice);
        },
      ),
      runs(300),
    );
  });

  it('must hold the user of the process', () => {
    fc.assert(
      fc.property(fc.array(mapping, { minLength: 1, maxLength: 3 }), fc.nat({ max: 20 }), (maps, uid) => {
        const mapped = maps.some((map) => ids(map.containerID, map.size).includes(uid));
        expect(problems(maps, uid).includes('user-id-mapped')).toBe(!mapped);
      }),
      runs(300),
    );
  });

  it('end before the id that means none, and are not empty', () => {
    fc.assert(
      fc.property(fc.oneof(edge, mapping), (map) => {
        const wrong = map.size === 0 || Math.max(map.containerID, map.hostID) + map.size > 0xffffffff;
        expect(problems([map], map.containerID).includes('id-mapping-range')).toBe(wrong);
      }),
      runs(300),
    );
  });
});
