/** The limits that `update` takes as flags, as a part of `linux.resources`. */
import { RuntimeError } from '../base/errors.ts';
import type { RdtChange } from '../operations/cgroup/update-rdt.ts';
import { checkResources, loadResources } from '../spec/load.ts';
import type { ValidResources } from '../spec/valid.ts';
import type { Flags, Values } from './args.ts';
import { parseSize } from './size.ts';

export const UPDATE_FLAGS = {
  resources: { kind: 'text', short: 'r' },
  'blkio-weight': { kind: 'text' },
  'cpu-period': { kind: 'text' },
  'cpu-quota': { kind: 'text' },
  'cpu-burst': { kind: 'text' },
  'cpu-share': { kind: 'text' },
  'cpu-rt-period': { kind: 'text' },
  'cpu-rt-runtime': { kind: 'text' },
  'cpu-idle': { kind: 'text' },
  'cpuset-cpus': { kind: 'text' },
  'cpuset-mems': { kind: 'text' },
  memory: { kind: 'text' },
  'memory-reservation': { kind: 'text' },
  'memory-swap': { kind: 'text' },
  'kernel-memory': { kind: 'text' },
  'kernel-memory-tcp': { kind: 'text' },
  'pids-limit': { kind: 'text' },
  'l3-cache-schema': { kind: 'text' },
  'mem-bw-schema': { kind: 'text' },
} as const satisfies Flags;

function integer(name: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new RuntimeError('usage', `invalid value ${JSON.stringify(text)} for --${name}: it is a whole number`, { configPath: `--${name}` });
}

type UpdateValues = Values<typeof UPDATE_FLAGS>;
type FlagName = keyof typeof UPDATE_FLAGS;

/** [flag, property]; a flag that was not given sets nothing. */
function group(
  values: UpdateValues,
  properties: readonly (readonly [FlagName, string])[],
  read: (name: string, text: string) => unknown,
): object {
  return Object.fromEntries(
    properties.flatMap(([name, property]) => {
      const text = values[name];
      return text === undefined ? [] : [[property, read(name, text)]];
    }),
  );
}

function section(name: string, content: object): object {
  return Object.keys(content).length === 0 ? {} : { [name]: content };
}

/** What the flags say. @throws RuntimeError 'usage', ConfigError */
export function resourcesFromFlags(values: UpdateValues): ValidResources {
  const numbers = (properties: readonly (readonly [FlagName, string])[]): object => group(values, properties, integer);
  const cpu = {
    ...numbers([
      ['cpu-period', 'period'],
      ['cpu-quota', 'quota'],
      ['cpu-burst', 'burst'],
      ['cpu-share', 'shares'],
      ['cpu-rt-period', 'realtimePeriod'],
      ['cpu-rt-runtime', 'realtimeRuntime'],
      ['cpu-idle', 'idle'],
    ]),
    ...group(
      values,
      [
        ['cpuset-cpus', 'cpus'],
        ['cpuset-mems', 'mems'],
      ],
      (_name, text) => text,
    ),
  };
  const memory = group(
    values,
    [
      ['memory', 'limit'],
      ['memory-reservation', 'reservation'],
      ['memory-swap', 'swap'],
      ['kernel-memory', 'kernel'],
      ['kernel-memory-tcp', 'kernelTCP'],
    ],
    parseSize,
  );
  const value = {
    ...section('cpu', cpu),
    ...section('memory', memory),
    ...section('pids', numbers([['pids-limit', 'limit']])),
    ...section('blockIO', numbers([['blkio-weight', 'weight']])),
  };
  return checkResources(value).resources;
}

/** The schemata of the resctrl group that the flags ask for; they come beside `--resources` as well. */
export function rdtFromFlags(values: UpdateValues): RdtChange {
  const { 'l3-cache-schema': l3CacheSchema = '', 'mem-bw-schema': memBwSchema = '' } = values;
  return { ...(l3CacheSchema === '' ? {} : { l3CacheSchema }), ...(memBwSchema === '' ? {} : { memBwSchema }) };
}

/** The text of `--resources`. */
export function resourcesFromText(text: string): ValidResources {
  return loadResources(text).resources;
}
