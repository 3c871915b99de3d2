import type { IdMapping } from '../../../../specs/runtime/id-mapping.ts';
import type { Linux } from '../../../../specs/runtime/linux/linux.ts';
import { findErrors, findWarnings, namespaces } from '../test/findings.ts';

const USER = namespaces('mount', 'user');
const JOINED: Partial<Linux> = { namespaces: [{ type: 'user', path: '/proc/1/ns/user' }] };
const ALL: IdMapping[] = [map(0, 0, 4294967295)];

function map(containerID: number, hostID: number, size: number): IdMapping {
  return { containerID, hostID, size };
}

describe('id-mappings-namespace', () => {
  it.each<[Partial<Linux>, string[]]>([
    [{ uidMappings: ALL, gidMappings: ALL }, ['linux.uidMappings', 'linux.gidMappings']],
    [{ uidMappings: [], gidMappings: [] }, []],
    [USER, ['linux.uidMappings', 'linux.gidMappings']],
    [{ ...USER, uidMappings: ALL, gidMappings: [] }, ['linux.gidMappings']],
    [{ ...USER, uidMappings: ALL, gidMappings: ALL }, []],
    [JOINED, []],
  ])('%j', (linux, paths) => {
    expect(findErrors({ linux })).toEqual(paths.map((path) => `id-mappings-namespace ${path}`));
  });

  it('warns about mappings of a namespace that is joined', () => {
    const expected = ['uidMappings', 'gidMappings'].map((field) => `id-mappings-of-joined-namespace linux.${field}`);
    expect(findWarnings({ linux: { ...JOINED, uidMappings: ALL, gidMappings: ALL } })).toEqual(expected);
  });
});

describe('rules for each map', () => {
  const uidMappings = 'linux.uidMappings';

  it.each<[IdMapping[], string[]]>([
    [[map(0, 1000, 1), map(1, 100000, 65536)], []],
    [[map(0, 1000, 0)], [`id-mapping-range ${uidMappings}[0].size`]],
    [[map(0, 1, 4294967295)], [`id-mapping-range ${uidMappings}[0].size`]],
    [[map(0, 4294967294, 1)], []],
    [[map(0, 4294967295, 1)], [`id-mapping-range ${uidMappings}[0].size`]],
    [[map(0, 1000, 10), map(9, 2000, 1)], [`id-mapping-overlap ${uidMappings}[1].containerID`]],
    [[map(10, 1000, 10), map(0, 1009, 10)], [`id-mapping-overlap ${uidMappings}[1].hostID`]],
    [[map(0, 0, 100), map(200, 200, 1), map(50, 300, 1)], [`id-mapping-overlap ${uidMappings}[2].containerID`]],
    [Array.from({ length: 340 }, (_, i) => map(i, i, 1)), []],
    [Array.from({ length: 341 }, (_, i) => map(i, i, 1)), [`id-mapping-count ${uidMappings}`]],
  ])('case %#', (mappings, expected) => {
    expect(
      findErrors({
        process: { user: { uid: mappings[0]?.containerID ?? 0, gid: 0 } },
        linux: { ...USER, uidMappings: mappings, gidMappings: ALL },
      }).filter((found) => !found.startsWith('user-id-mapped')),
    ).toEqual(expected);
  });

  it('applies to the maps of mounts as well', () => {
    const mount = { destination: '/a', source: '/a', options: ['bind', 'idmap'], uidMappings: ALL, gidMappings: [map(0, 0, 0)] };
    expect(findErrors({ mounts: [mount] })).toEqual(['id-mapping-range mounts[0].gidMappings[0].size']);
  });
});

describe('user-id-mapped', () => {
  it.each([
    [{ uid: 0, gid: 9, additionalGids: [5] }, []],
    [{ uid: 10, gid: 0 }, ['uid']],
    [{ uid: 0, gid: 10, additionalGids: [0, 11] }, ['gid', 'additionalGids[1]']],
  ])('%j', (user, fields) => {
    const mappings = [map(0, 1000, 10)];
    const found = findErrors({ process: { user }, linux: { ...USER, uidMappings: mappings, gidMappings: mappings } });
    expect(found).toEqual(fields.map((field) => `user-id-mapped process.user.${field}`));
  });
});
