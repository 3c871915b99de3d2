import type { Config } from '../../../../specs/runtime/config.ts';
import type { IdMapping } from '../../../../specs/runtime/id-mapping.ts';
import { findNamespace, hasNewNamespace } from '../namespaces.ts';
import { checkItems, type Report, type Rule } from './rule.ts';

const REFERENCE = 'config-linux.md#user-namespace-mappings';

/** user_namespaces(7): the kernel takes this many lines since Linux 4.15. */
const MAX_LINES = 340;
/** The number after the last id; the id 2^32-1 itself stands for "no id". */
const END_OF_IDS = 0xffffffff;

const MAPS = ['uidMappings', 'gidMappings'] as const;

export const idMappingErrors: readonly Rule<Config>[] = [
  {
    id: 'id-mappings-namespace',
    reference: REFERENCE,
    check(config, report) {
      const namespace = findNamespace(config, 'user');
      for (const map of MAPS) {
        const isEmpty = !config.linux?.[map]?.length;
        if (namespace === undefined && !isEmpty)
          report(`linux.${map}`, undefined, 'cannot be set without a user namespace in linux.namespaces');
        if (namespace !== undefined && namespace.path === undefined && isEmpty) {
          report(`linux.${map}`, undefined, 'must be set for a new user namespace');
        }
      }
    },
  },
  forEachMap('id-mapping-count', (mappings, path, report) => {
    if (mappings.length > MAX_LINES) report(path, mappings.length, `must have at most ${MAX_LINES} entries`);
  }),
  forEachMap('id-mapping-range', (mappings, path, report) => {
    checkItems(mappings, path, report, ({ containerID, hostID, size }, reportItem) => {
      if (size === 0) reportItem('size', size, 'must not be 0');
      else if (Math.max(containerID, hostID) + size > END_OF_IDS) reportItem('size', size, 'goes beyond the id 4294967294');
    });
  }),
  forEachMap('id-mapping-overlap', (mappings, path, report) => {
    checkOverlap(mappings, 'containerID', path, report);
    checkOverlap(mappings, 'hostID', path, report);
  }),
  {
    id: 'user-id-mapped',
    reference: REFERENCE,
    check(config, report) {
      if (config.process === undefined || !hasNewNamespace(config, 'user')) return;
      // Where there are no mappings at all, another rule speaks.
      const { uidMappings: uids = [], gidMappings: gids = [] } = config.linux ?? {};
      const { uid = 0, gid = 0, additionalGids } = config.process?.user ?? {};
      if (uids.length > 0 && !isMapped(uid, uids)) report('process.user.uid', uid, 'has no mapping in linux.uidMappings');
      if (gids.length > 0 && !isMapped(gid, gids)) report('process.user.gid', gid, 'has no mapping in linux.gidMappings');
      checkItems(additionalGids, 'process.user.additionalGids', report, (additional, reportItem) => {
        if (gids.length > 0 && !isMapped(additional, gids)) reportItem('', additional, 'has no mapping in linux.gidMappings');
      });
    },
  },
];

export const idMappingWarnings: readonly Rule<Config>[] = [
  {
    id: 'id-mappings-of-joined-namespace',
    reference: REFERENCE,
    check(config, report) {
      if (findNamespace(config, 'user')?.path === undefined) return;
      for (const map of MAPS) {
        if (config.linux?.[map]?.length)
          report(`linux.${map}`, undefined, 'must be those of the user namespace that is joined, or be absent');
      }
    },
  },
];

/** A rule for every id map of the document: the container's, and those of mounts. */
function forEachMap(id: string, check: (mappings: readonly IdMapping[], path: string, report: Report) => void): Rule<Config> {
  return {
    id,
    reference: REFERENCE,
    check({ linux, mounts }, report) {
      for (const map of MAPS) {
        check(linux?.[map] ?? [], `linux.${map}`, report);
        checkItems(mounts, 'mounts', report, (mount, reportItem) => check(mount[map] ?? [], map, reportItem));
      }
    },
  };
}

/** The kernel refuses maps in which an id, inside or outside, appears twice. */
function checkOverlap(mappings: readonly IdMapping[], side: 'containerID' | 'hostID', path: string, report: Report): void {
  if (mappings.length < 2) return;
  const sorted = [...mappings.entries()].sort(([, a], [, b]) => a[side] - b[side]);
  let end = 0;
  for (const [index, mapping] of sorted) {
    if (mapping[side] < end) report(`${path}[${index}].${side}`, mapping[side], 'must not overlap with another entry');
    end = Math.max(end, mapping[side] + mapping.size);
  }
}

function isMapped(id: number, mappings: readonly IdMapping[]): boolean {
  return mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}
