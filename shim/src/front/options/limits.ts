/** Limits and settings of the kernel, from flags. */

import { ContainerError, invalid } from '../../container/errors.ts';
import type { DeviceMapping, Resources, RestartPolicy, Ulimit } from '../../container/record.ts';
import { parseBytes } from '../../container/size.ts';
import type { Arguments } from '../cli/flags.ts';

const MIN_MEMORY = 6 * 1024 * 1024;

/** Only what was given. @throws ContainerError invalid */
export function resourcesOf(args: Arguments): Resources {
  const bytes = (name: string) => (args.has(name) ? bytesOf(args.value(name) ?? '') : undefined);
  const number = (name: string) => (args.has(name) ? Number(args.value(name)) : undefined);
  const text = (name: string) => args.value(name);
  const memory = bytes('memory');
  const swap = bytes('memory-swap');
  if (memory !== undefined && memory !== 0 && memory < MIN_MEMORY) throw invalid('Minimum memory limit allowed is 6MB');
  if (swap !== undefined && swap > 0 && (memory === undefined || memory === 0)) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (swap !== undefined && memory !== undefined && swap > 0 && swap < memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  const cpus = number('cpus');
  if (cpus !== undefined && (args.has('cpu-quota') || args.has('cpu-period'))) {
    throw invalid('Conflicting options: Nano CPUs and CPU Period or Quota cannot both be set');
  }
  const weight = number('blkio-weight');
  if (weight !== undefined && weight !== 0 && (weight < 10 || weight > 1000)) {
    throw invalid('Range of blkio weight is from 10 to 1000', '0 means no weight.');
  }
  return dropUndefined({
    Memory: memory,
    MemorySwap: swap,
    MemoryReservation: bytes('memory-reservation'),
    NanoCpus: cpus === undefined ? undefined : Math.round(cpus * 1e9),
    CpuShares: number('cpu-shares'),
    CpuPeriod: number('cpu-period'),
    CpuQuota: number('cpu-quota'),
    CpusetCpus: text('cpuset-cpus'),
    CpusetMems: text('cpuset-mems'),
    PidsLimit: number('pids-limit'),
    BlkioWeight: weight,
  });
}

function bytesOf(text: string): number {
  return text === '-1' ? -1 : parseBytes(text);
}

function dropUndefined(fields: { readonly [K in keyof Resources]: Resources[K] | undefined }): Resources {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Resources;
}

/** @throws ContainerError invalid */
export function restartPolicyOf(text: string | undefined): RestartPolicy {
  if (text === undefined || text === '') return { Name: 'no', MaximumRetryCount: 0 };
  const [name = '', count] = text.split(':');
  if (name === 'on-failure' && (count === undefined || /^\d+$/.test(count))) return { Name: name, MaximumRetryCount: Number(count ?? 0) };
  if (count !== undefined && (name === 'on-failure' || /^\d+$/.test(count))) {
    throw invalid(
      name === 'on-failure' ? 'maximum retry count must be an integer' : `maximum retry count cannot be used with restart policy '${name}'`,
    );
  }
  if (count === undefined && (name === 'no' || name === 'always' || name === 'unless-stopped')) return { Name: name, MaximumRetryCount: 0 };
  throw invalid(`invalid restart policy '${text}'`, 'There are no, on-failure[:MAX], always, unless-stopped.');
}

const ULIMITS = 'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ');

/** `nofile=1024:2048`. @throws ContainerError invalid */
export function parseUlimit(text: string): Ulimit {
  const match = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw invalid(`invalid ulimit argument: ${text}`);
  const [, name = '', soft = '', hard = soft] = match;
  if (!ULIMITS.includes(name)) throw invalid(`invalid ulimit type: ${name}`);
  if (Number(hard) !== -1 && (Number(soft) === -1 || Number(soft) > Number(hard))) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { Name: name, Soft: Number(soft), Hard: Number(hard) };
}

/** `/dev/fuse[:/dev/x][:rwm]`. @throws ContainerError invalid */
export function parseDevice(text: string): DeviceMapping {
  const [source = '', second, third, ...more] = text.split(':');
  const isMode = (word: string | undefined) => word !== undefined && /^[rwm]{1,3}$/.test(word);
  const isModeSecond = third === undefined && isMode(second);
  const target = second === undefined || isModeSecond ? source : second;
  const permissions = isModeSecond ? second : third;
  if (more.length > 0 || !source.startsWith('/') || !target.startsWith('/') || (permissions !== undefined && !isMode(permissions))) {
    throw invalid(`invalid device specification: ${text}`, 'Give HOST[:CONTAINER][:rwm].');
  }
  return { PathOnHost: source, PathInContainer: target, CgroupPermissions: permissions ?? 'rwm' };
}

export function parseSysctls(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=');
      if (equals <= 0) throw invalid(`invalid argument "${word}" for "--sysctl" flag: give NAME=VALUE`);
      return [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

export function refuseUnsupported(args: Arguments): void {
  if (args.has('gpus')) {
    throw new ContainerError('unsupported', 'could not select device driver "" with capabilities: [[gpu]]', {
      hint: 'tsctl does not set up GPUs. Give the devices by name: --device /dev/dri/renderD128.',
    });
  }
  for (const [name, remedy] of UNSUPPORTED) {
    if (args.has(name)) throw new ContainerError('unsupported', `--${name} is not supported`, { hint: remedy });
  }
}

const UNSUPPORTED: readonly (readonly [string, string])[] = [
  ['link', 'Containers on one network know each other by name: tsctl network create, then --network.'],
];
