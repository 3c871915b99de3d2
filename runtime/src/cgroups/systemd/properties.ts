/** Properties of a container's unit (systemd.resource-control(5), org.freedesktop.systemd1(5)). Pure. */

import { RuntimeError } from '../../base/errors.ts';
import type { SystemdUnit } from '../path.ts';
import type { ResourceWrite } from '../resources/write.ts';
import { resourceError } from '../resources/write.ts';
import { parseVariant } from './parse-variant.ts';
import type { BusValue, Property, Variant } from './value.ts';

const INFINITY = 2n ** 64n - 1n;
const DEFAULT_PERIOD_US = 100000n;
/** CPUWeight=idle (as 0), and OOMPolicy of scopes. */
const CPU_IDLE_VERSION = 252;
const OOM_POLICY_VERSION = 253;

export interface UnitRequest {
  readonly unit: SystemdUnit;
  /** For `Description`. */
  readonly id: string;
  /** The process that is moved into a scope; a scope cannot be without. */
  readonly pid: number;
}

/** What a unit is started with, besides limits and annotations. */
export function unitProperties({ unit, id, pid }: UnitRequest): Property[] {
  const isSlice = unit.unit.endsWith('.slice');
  return [
    { name: 'Description', signature: 's', value: `tsrun container ${id}` },
    // A slice's parent follows from its name.
    ...(isSlice
      ? [{ name: 'Wants', signature: 'as', value: [unit.slice] }]
      : [
          { name: 'Slice', signature: 's', value: unit.slice },
          { name: 'Delegate', signature: 'b', value: true },
          { name: 'PIDs', signature: 'au', value: [pid] },
        ]),
    ...['MemoryAccounting', 'CPUAccounting', 'IOAccounting', 'TasksAccounting'].map((name) => ({ name, signature: 'b', value: true })),
    { name: 'DefaultDependencies', signature: 'b', value: false },
  ];
}

/**
 * Limits as properties, so that systemd, when it sets up the cgroup again (daemon-reload), does not undo them. What systemd does not know is only
 * written to the cgroup. Of two writes to a file the last one counts.
 */
export function resourceProperties(writes: readonly ResourceWrite[], systemdVersion: number): Property[] {
  const properties = new Map<string, Property>();
  for (const write of writes) {
    for (const property of propertiesOf(write, systemdVersion)) properties.set(property.name, property);
  }
  return [...properties.values()];
}

/** Properties that systemd takes only when the unit starts. */
export function startOnlyProperties(writes: readonly ResourceWrite[], systemdVersion: number): Property[] {
  const group = writes.findLast((write) => write.file === 'memory.oom.group')?.value.trim();
  if (systemdVersion < OOM_POLICY_VERSION || (group !== '0' && group !== '1')) return [];
  return [{ name: 'OOMPolicy', signature: 's', value: group === '1' ? 'kill' : 'continue' }];
}

/** Whether the properties depend on systemd's version, which costs a question to it. */
export function dependsOnVersion(writes: readonly ResourceWrite[]): boolean {
  return writes.some(({ file, value }) => file === 'memory.oom.group' || (file === 'cpu.idle' && value.trim() === '1'));
}

const LIMITS: Readonly<Record<string, string>> = {
  'memory.max': 'MemoryMax',
  'memory.high': 'MemoryHigh',
  'memory.low': 'MemoryLow',
  'memory.min': 'MemoryMin',
  'memory.swap.max': 'MemorySwapMax',
  'pids.max': 'TasksMax',
  'cpu.weight': 'CPUWeight',
};

function propertiesOf(write: ResourceWrite, systemdVersion: number): Property[] {
  const { file, configPath } = write;
  const value = write.value.trim();
  const limit = LIMITS[file];
  if (limit !== undefined) {
    const number = value === 'max' ? INFINITY : integer(value, configPath);
    // systemd has no TasksMax=0.
    return [{ name: limit, signature: 't', value: file === 'pids.max' && number === 0n ? 1n : number }];
  }
  switch (file) {
    case 'cpu.max':
      return quotaProperties(value, configPath);
    case 'cpu.idle':
      return value === '1' && systemdVersion >= CPU_IDLE_VERSION ? [{ name: 'CPUWeight', signature: 't', value: 0n }] : [];
    case 'cpuset.cpus':
      return [{ name: 'AllowedCPUs', signature: 'ay', value: bitmap(value, configPath) }];
    case 'cpuset.mems':
      return [{ name: 'AllowedMemoryNodes', signature: 'ay', value: bitmap(value, configPath) }];
    default:
      return [];
  }
}

function integer(text: string, configPath: string): bigint {
  if (!/^\d+$/.test(text)) throw resourceError(configPath, `"${text}" is not a limit`);
  return BigInt(text);
}

/** systemd counts the quota in percent of a processor: parts of a percent are rounded up, so that the container is never slowed below its limit. */
function quotaProperties(text: string, configPath: string): Property[] {
  const [quota = '', period] = text.split(/\s+/);
  const periodUs = period === undefined ? DEFAULT_PERIOD_US : integer(period, configPath);
  const properties: Property[] = period === undefined ? [] : [{ name: 'CPUQuotaPeriodUSec', signature: 't', value: periodUs }];
  const percentUs = 10000n;
  const perSecondUs =
    quota === 'max' || periodUs === 0n
      ? INFINITY
      : ((integer(quota, configPath) * 1000000n + periodUs * percentUs - 1n) / (periodUs * percentUs)) * percentUs;
  return [...properties, { name: 'CPUQuotaPerSecUSec', signature: 't', value: perSecondUs }];
}

const MAX_BIT = 8191;

/** `0-2,8` as bytes, the lowest number in the lowest bit of the first byte. */
function bitmap(list: string, configPath: string): number[] {
  const bytes: number[] = [];
  // No list lifts the restriction.
  if (list === '') return bytes;
  for (const range of list.split(',')) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(range);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? first);
    if (match === null || last < first || last > MAX_BIT)
      throw resourceError(configPath, `"${list}" is not a list of numbers such as 0-2,8`);
    for (let bit = first; bit <= last; bit++) {
      while (bytes.length <= bit >> 3) bytes.push(0);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return bytes;
}

export const ANNOTATION_PREFIX = 'org.systemd.property.';

/**
 * Properties that annotations ask for: `org.systemd.property.TimeoutStopUSec: uint64 5000000`. Names in …Sec, with which unit files give a time, are
 * turned into the …USec of D-Bus.
 *
 * @throws RuntimeError `systemd-property`
 */
export function annotationProperties(annotations: Readonly<Record<string, string>>): Property[] {
  return Object.entries(annotations).flatMap(([key, text]) => {
    if (!key.startsWith(ANNOTATION_PREFIX)) return [];
    const name = key.slice(ANNOTATION_PREFIX.length);
    const configPath = `annotations[${JSON.stringify(key)}]`;
    if (!/^[A-Za-z]{3,}$/.test(name)) {
      throw new RuntimeError('systemd-property', `${configPath}: "${name}" is not the name of a unit's property`, { configPath });
    }
    try {
      const variant = parseVariant(text);
      if (!/[a-z]Sec$/.test(name)) return [{ name, ...variant }];
      return [{ name: `${name.slice(0, -'Sec'.length)}USec`, ...toMicroseconds(variant) }];
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new RuntimeError('systemd-property', `${configPath}: cannot read ${JSON.stringify(text)}: ${error.message}`, {
        configPath,
        cause: error,
        hint: "write the value as GVariant text: true, uint64 5, 'text', ['a', 'b']",
      });
    }
  });
}

function toMicroseconds({ signature, value }: Variant): { signature: string; value: BusValue } {
  if (signature === 'd' && typeof value === 'number') return { signature: 't', value: BigInt(Math.trunc(value * 1e6)) };
  if (typeof value !== 'bigint') throw new SyntaxError('a time in seconds must be a number');
  return { signature: 't', value: BigInt.asUintN(64, value * 1000000n) };
}
