/**
 * `linux.resources.devices` as a policy. Pure.
 *
 * The rules are an ordered list, and for each kind of access to a device the last rule that speaks of both decides. That is what the list says, and
 * what cgroup v1 did for the lists that engines write (everything denied, then exceptions); unlike there, a later rule may also take back a part of
 * an earlier one. What no rule speaks of is denied.
 */
import type { DeviceCgroup } from '../../../specs/runtime/linux/resources.ts';
import { resourceError } from './resources/write.ts';

/** Bits as in linux/bpf.h, BPF_DEVCG_ACC_… */
export const ACCESS_MKNOD = 1;
export const ACCESS_READ = 2;
export const ACCESS_WRITE = 4;
export const ACCESS_ALL = 7;

export interface DeviceRule {
  readonly allow: boolean;
  /** `a`: both. */
  readonly type: 'a' | 'b' | 'c';
  /** Undefined: all. */
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** ACCESS_… bits. */
  readonly access: number;
}

export interface DevicePolicy {
  /** To be asked in this order; for each access bit the first rule that matches decides. */
  readonly rules: readonly DeviceRule[];
  /** What holds for the bits on which no rule decides. */
  readonly defaultAllow: boolean;
}

const MAX_NUMBER = 0xffffffff;

/**
 * The policy of a container: its rules, then those that every container has.
 *
 * @param devicePaths paths of `linux.devices`: a device of the configuration takes the place of the default one at the same path
 * @throws RuntimeError `cgroup-resources` for numbers that no device has, and for a rule without access
 */
export function devicePolicy(rules: readonly DeviceCgroup[], devicePaths: readonly string[]): DevicePolicy {
  return fold([...rules.map(readRule), ...defaultRules(devicePaths)]);
}

/** Whether nothing is denied, so that no program is needed. */
export function allowsEverything(policy: DevicePolicy): boolean {
  return policy.defaultAllow && policy.rules.every((rule) => rule.allow);
}

/** Whether the policy only lists what is allowed, as every engine's default does. */
export function isAllowList(policy: DevicePolicy): boolean {
  return policy.rules.every((rule) => rule.allow);
}

function readRule(rule: DeviceCgroup, index: number): DeviceRule {
  const configPath = `linux.resources.devices[${index}]`;
  return {
    allow: rule.allow,
    type: rule.type ?? 'a',
    major: readNumber(rule.major, `${configPath}.major`),
    minor: readNumber(rule.minor, `${configPath}.minor`),
    access: readAccess(rule.access ?? '', `${configPath}.access`),
  };
}

function readNumber(value: number | bigint | undefined, configPath: string): number | undefined {
  if (value === undefined || BigInt(value) === -1n) return undefined;
  if (value < 0 || value > MAX_NUMBER) throw resourceError(configPath, `${value} is not the number of a device`);
  return Number(value);
}

const ACCESS_BITS: Readonly<Record<string, number>> = { r: ACCESS_READ, w: ACCESS_WRITE, m: ACCESS_MKNOD };

function readAccess(text: string, configPath: string): number {
  let access = 0;
  for (const letter of text) {
    const bit = ACCESS_BITS[letter];
    if (bit === undefined) throw resourceError(configPath, `"${text}" is not a combination of r, w and m`);
    access |= bit;
  }
  if (access === 0) throw resourceError(configPath, 'device access cannot be empty');
  return access;
}

/** Devices of config-linux.md, "Default Devices", and what else containers have had from their runtimes for ever, runc's list: [path, major, minor]. */
const DEFAULT_DEVICES: readonly (readonly [string, number, number | undefined])[] = [
  ['/dev/null', 1, 3],
  ['/dev/zero', 1, 5],
  ['/dev/full', 1, 7],
  ['/dev/random', 1, 8],
  ['/dev/urandom', 1, 9],
  ['/dev/tty', 5, 0],
  // Not tied to a path: the container's own terminals, and the device that VPN clients expect to be allowed.
  ['', 5, 2],
  ['', 136, undefined],
  ['', 10, 200],
];

function defaultRules(devicePaths: readonly string[]): DeviceRule[] {
  const devices = DEFAULT_DEVICES.filter(([path]) => path === '' || !devicePaths.includes(path));
  return [
    // Making a node is harmless as long as it cannot be opened; package managers unpack nodes.
    { allow: true, type: 'c', major: undefined, minor: undefined, access: ACCESS_MKNOD },
    { allow: true, type: 'b', major: undefined, minor: undefined, access: ACCESS_MKNOD },
    ...devices.map(([, major, minor]): DeviceRule => ({ allow: true, type: 'c', major, minor, access: ACCESS_ALL })),
  ];
}

/** Turns the list around, and leaves out what can decide nothing: rules before one for everything, and repetitions. */
function fold(rules: readonly DeviceRule[]): DevicePolicy {
  const folded: DeviceRule[] = [];
  const decided = new Map<string, number>();
  for (const rule of rules.toReversed()) {
    const key = `${rule.type} ${rule.major ?? '*'}:${rule.minor ?? '*'}`;
    const before = decided.get(key) ?? 0;
    decided.set(key, before | rule.access);
    const access = rule.access & ~before;
    if (access === 0) continue;
    if (key === 'a *:*' && access === ACCESS_ALL) return { rules: folded, defaultAllow: rule.allow };
    folded.push({ ...rule, access });
  }
  return { rules: folded, defaultAllow: false };
}
