/** From `linux.intelRdt` to a group of the resctrl file system (config-linux.md, "IntelRdt"). Pure. */
import type { IntelRdt } from '../../../specs/runtime/linux/intel-rdt.ts';
import { RuntimeError } from '../base/errors.ts';

export const RDT_PATH = 'linux.intelRdt';

export interface RdtPlan {
  /** The group's directory in the file system; empty for the root, which is a group itself. */
  readonly group: string;
  /** Lines for the group's schemata, in their order. */
  readonly schemata: readonly string[];
  /** Those of them that a group which is there already must agree with. */
  readonly compared: readonly SchemaLine[];
  /** The group is somebody else's: it must be there, and stays. */
  readonly mustExist: boolean;
  /** The group, if it had to be made, goes with the container. */
  readonly own: boolean;
  /** Name of the monitoring group. */
  readonly monitoring: string | undefined;
}

export interface SchemaLine {
  readonly line: string;
  readonly configPath: string;
}

/** Directories of the file system itself. */
const RESERVED: readonly string[] = ['.', '..', 'info', 'mon_groups', 'mon_data'];

/** @throws RuntimeError 'intel-rdt' for a closID that is no name of a directory */
export function planRdt(rdt: IntelRdt, id: string): RdtPlan {
  const { closID, l3CacheSchema, memBwSchema, schemata = [], enableMonitoring } = rdt;
  const compared = [
    ...(isEmpty(l3CacheSchema) ? [] : [{ line: l3CacheSchema, configPath: `${RDT_PATH}.l3CacheSchema` }]),
    ...(isEmpty(memBwSchema) ? [] : [{ line: memBwSchema, configPath: `${RDT_PATH}.memBwSchema` }]),
  ];
  const lines = [...compared.map(({ line }) => line), ...schemata.filter((line) => line !== '')];
  const named = !isEmpty(closID);
  return {
    group: named ? groupName(closID) : id,
    schemata: lines,
    compared: named ? compared : [],
    mustExist: named && lines.length === 0,
    own: !named,
    monitoring: enableMonitoring === true ? id : undefined,
  };
}

function isEmpty(text: string | undefined): text is undefined | '' {
  return text === undefined || text === '';
}

function groupName(closID: string): string {
  if (closID === '/') return '';
  if (!closID.includes('/') && !RESERVED.includes(closID)) return closID;
  throw new RuntimeError('intel-rdt', `${RDT_PATH}.closID: ${JSON.stringify(closID)} is not a name for a group`, {
    configPath: `${RDT_PATH}.closID`,
  });
}

/**
 * Whether a line that was wished for says the same as the schemata that are there: leading zeros, order and spaces mean nothing, and what the wish does not
 * name does not count. A resource that is not there at all is for the kernel to refuse.
 * @param granularity steps to which the kernel rounds percentages of memory bandwidth up
 */
export function agrees(wish: string, schemata: string, granularity: number): boolean {
  const { resource, values } = parseLine(wish);
  const there = schemata.split('\n').map(parseLine);
  const current = there.find((line) => line.resource === resource)?.values;
  if (current === undefined) return true;
  return [...values].every(([domain, value]) => {
    const other = current.get(domain);
    return other === value || (resource === 'MB' && other === roundUp(value, granularity));
  });
}

function roundUp(value: string, granularity: number): string {
  return String(Math.ceil(Number(value) / granularity) * granularity);
}

function parseLine(line: string): { readonly resource: string; readonly values: ReadonlyMap<string, string> } {
  const colon = line.indexOf(':');
  const values = new Map<string, string>();
  for (const part of line.slice(colon + 1).split(';')) {
    const [domain = '', value = ''] = part.split('=').map((word) => word.trim());
    values.set(domain.replace(/^0+(?=.)/, ''), value.toLowerCase().replace(/^0+(?=.)/, ''));
  }
  return { resource: line.slice(0, Math.max(0, colon)).trim(), values };
}
