/** Namespaces: its own, those that it joined, and those of the runtime. */
import { readFileIfExists, readLink } from '../../linux/files.ts';
import { NAMESPACE_TYPES, NAMESPACES, type NamespaceType } from '../../linux/namespaces.ts';
import { stat } from '../../linux/stat.ts';
import type { NamespacePlan } from '../../plan/namespaces.ts';
import type { IdMap } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';
import { compare, type Difference } from './difference.ts';

/** CRIU gives what it restores a time namespace, in which the clocks go on from where they were. */
export interface Origin {
  readonly restored?: true;
}

export function namespaceDrift(sys: Sys, pid: number, plan: NamespacePlan, { restored }: Origin): Difference[] {
  const isExpected = (type: NamespaceType): boolean =>
    type === 'time' && restored === true && !plan.join.some((join) => join.type === type);
  return [
    ...NAMESPACE_TYPES.filter((type) => !isExpected(type)).flatMap((type) => oneDrift(sys, pid, plan, type)),
    ...mapDrift(sys, pid, plan),
  ];
}

function oneDrift(sys: Sys, pid: number, plan: NamespacePlan, type: NamespaceType): Difference[] {
  const { file } = NAMESPACES[type];
  const actual = readLink(sys, `/proc/${pid}/ns/${file}`);
  const ours = readLink(sys, `/proc/self/ns/${file}`);
  const what = { aspect: 'namespace', configPath: 'linux.namespaces', object: type } as const;
  const join = plan.join.find((candidate) => candidate.type === type);
  if (join !== undefined) {
    const status = stat(sys, join.path);
    // The file may be gone while the namespace lives: then nothing can be said.
    return status === undefined ? [] : compare({ ...what, configPath: join.configPath }, `${file}:[${status.inode}]`, actual);
  }
  if (plan.create.includes(type))
    return actual === ours ? [{ ...what, expected: 'one of its own', actual: `that of the runtime, ${ours}` }] : [];
  return compare(what, `that of the runtime, ${ours}`, actual === ours ? `that of the runtime, ${ours}` : actual);
}

function mapDrift(sys: Sys, pid: number, { create, uidMappings, gidMappings }: NamespacePlan): Difference[] {
  if (!create.includes('user')) return [];
  const one = (file: string, configPath: string, mappings: readonly IdMap[]): Difference[] => {
    const actual = readFileIfExists(sys, `/proc/${pid}/${file}`)
      ?.trim()
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' '))
      .join(', ');
    const expected = mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`).join(', ');
    return compare({ aspect: 'namespace', configPath, object: file }, expected, actual);
  };
  return [...one('uid_map', 'linux.uidMappings', uidMappings), ...one('gid_map', 'linux.gidMappings', gidMappings)];
}
