/** Limits as the files of the cgroup have them now. */

import type { LinuxResources } from '../../../../specs/runtime/linux/resources.ts';
import { RuntimeError, SyscallError } from '../../base/errors.ts';
import { devicePolicy } from '../../cgroups/device-rules.ts';
import { attachedPolicy } from '../../cgroups/devices.ts';
import { cgroupOfProcess, findHierarchy } from '../../cgroups/hierarchy.ts';
import type { ResourceWrite } from '../../cgroups/resources/write.ts';
import { planResources } from '../../cgroups/resources.ts';
import { EINVAL, ENOENT, isErrno } from '../../linux/errno.ts';
import { close, openDirectory, readFile } from '../../linux/files.ts';
import { parseIndexList } from '../../spec/index-list.ts';
import type { ValidConfig } from '../../spec/valid.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';
import { isPrivileged } from '../context/host-facts.ts';
import { compare, type Difference } from './difference.ts';

/** @param resources those of the configuration, as updates have changed them */
export function cgroupDrift(sys: Sys, record: ContainerRecord, config: ValidConfig, resources: LinuxResources): Difference[] {
  const directory = record.cgroup?.directory;
  if (directory === undefined) return [];
  const writes = new Map<string, ResourceWrite>();
  // Of several writes to one file the last word counts, but each device has its own.
  for (const write of planResources(resources).writes) writes.set(`${write.file} ${keyOf(write)}`, write);
  return [
    ...placeDrift(sys, record, directory),
    ...[...writes.values()].flatMap((write) => fileDrift(sys, directory, write)),
    ...deviceRuleDrift(sys, directory, config, resources),
  ];
}

function placeDrift(sys: Sys, record: ContainerRecord, directory: string): Difference[] {
  const mountPoint = findHierarchy(sys)?.mountPoint ?? '';
  const actual = `${mountPoint}${cgroupOfProcess(sys, record.pid) ?? ''}`;
  const what = { aspect: 'cgroup', configPath: 'linux.cgroupsPath', object: 'place' } as const;
  // Below it a container may arrange its processes as it likes.
  return compare(what, directory, actual, () => actual === directory || actual.startsWith(`${directory}/`));
}

function keyOf({ file, value }: ResourceWrite): string {
  return isKeyed(file) && value.includes(' ') ? (value.split(' ', 1)[0] ?? '') : '';
}

function isKeyed(file: string): boolean {
  return /^(io|rdma|misc|dmem)\./.test(file);
}

function fileDrift(sys: Sys, directory: string, write: ResourceWrite): Difference[] {
  // A write there is no setting: it registers a trigger, or does something once.
  if (/\.pressure$|^memory\.reclaim$|^cgroup\.(kill|procs|threads)$/.test(write.file)) return [];
  const targets = write.instead === undefined ? [write] : [write, write.instead];
  for (const { file, value } of targets) {
    const actual = readSetting(sys, `${directory}/${file}`);
    if (actual === undefined) continue;
    const what = { aspect: 'cgroup', configPath: write.configPath, object: file } as const;
    return compare(what, value.trim(), actual.trim(), (one, other) => agree(file, one, other));
  }
  if (write.optional === true) return [];
  return [{ aspect: 'cgroup', configPath: write.configPath, object: write.file, expected: write.value.trim(), actual: 'not there' }];
}

function readSetting(sys: Sys, path: string): string | undefined {
  try {
    return readFile(sys, path);
  } catch (error) {
    if (isErrno(error, ENOENT, EINVAL)) return undefined;
    throw error;
  }
}

/** Whether a file that says `actual` may have been written with `expected`. */
export function agree(file: string, expected: string, actual: string): boolean {
  if (isKeyed(file)) return agreeKeyed(expected, actual);
  if (/^cpuset\.(cpus|mems)$/.test(file)) return indices(expected) === indices(actual);
  if (file === 'cpu.max') return cpuMax(expected) === cpuMax(actual);
  if (/^\d+$/.test(expected) && /^\d+$/.test(actual)) return isRoundedDown(file, BigInt(expected), BigInt(actual));
  return words(expected) === words(actual);
}

/** One line of several; what the write does not name does not count. */
function agreeKeyed(expected: string, actual: string): boolean {
  const [key, ...pairs] = expected.split(/\s+/);
  if (pairs.length === 0) return actual.split('\n').some((line) => line === expected || line === `default ${expected}`);
  const there = actual
    .split('\n')
    .map((line) => line.split(/\s+/))
    .find(([first]) => first === key);
  // A line that says nothing but "no limit" is not shown.
  if (there === undefined) return pairs.every((pair) => pair.endsWith('=max') || pair === 'max');
  return pairs.every((pair) => there.includes(pair));
}

function indices(list: string): string {
  const ranges = parseIndexList(list) ?? [];
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index)).join(',');
}

const DEFAULT_PERIOD = '100000';

function cpuMax(text: string): string {
  const [quota = '', period = DEFAULT_PERIOD] = text.split(/\s+/);
  return `${quota} ${period}`;
}

/** Pages of memory are of 4 KiB to 64 KiB, by architecture. */
const SMALL_PAGE_BYTES = 4096n;
const LARGE_PAGE_BYTES = 65536n;

/** The kernel keeps amounts of memory in pages: for hugetlb in those that the file names. */
function isRoundedDown(file: string, expected: bigint, actual: bigint): boolean {
  const [, size, letter] = /^hugetlb\.(\d+)([KMG])B\./.exec(file) ?? [];
  if (size !== undefined) return actual === expected - (expected % (BigInt(size) * 1024n ** BigInt('KMG'.indexOf(letter ?? '') + 1)));
  if (!file.startsWith('memory.')) return actual === expected;
  const lost = expected - actual;
  return lost === 0n || (actual % SMALL_PAGE_BYTES === 0n && lost > 0n && lost < LARGE_PAGE_BYTES);
}

function words(text: string): string {
  return text.split(/\s+/).join(' ');
}

function deviceRuleDrift(sys: Sys, directory: string, config: ValidConfig, { devices = [] }: LinuxResources): Difference[] {
  const policy = devicePolicy(
    devices,
    (config.linux?.devices ?? []).map((device) => device.path),
  );
  if (!isPrivileged(sys)) return [];
  const fd = openDirectory(sys, directory);
  try {
    const attached = attachedPolicy(sys, fd, policy);
    if (attached === 'the same') return [];
    const what = { aspect: 'cgroup', configPath: 'linux.resources.devices', object: 'device rules' } as const;
    const actual = attached === 'none' ? 'none is attached' : 'one with other rules';
    return [{ ...what, expected: 'a BPF program that refuses what is not allowed', actual }];
  } catch (error) {
    // Not every kernel lets everybody ask.
    if (error instanceof SyscallError || error instanceof RuntimeError) return [];
    throw error;
  } finally {
    close(sys, fd);
  }
}
