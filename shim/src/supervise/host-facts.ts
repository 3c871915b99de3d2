/** What a container's configuration needs to know of the host and of other containers. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isInUserNamespace } from '../../../runtime/src/linux/user-namespace.ts';
import { findId, readContainer } from '../container/containers.ts';
import { ContainerError, invalid } from '../container/errors.ts';
import { hasErrorCode } from '../container/files.ts';
import { userOf } from '../container/in-container.ts';
import { containerPlaces, type Places } from '../container/places.ts';
import { type ContainerRecord, isRunning } from '../container/record.ts';
import type { HostDevice, RuntimeFacts } from '../container/runtime-config.ts';
import type { Setting } from './setting.ts';

/** @throws ContainerError */
export function runtimeFacts(setting: Setting, record: ContainerRecord, rootfs: string): RuntimeFacts {
  const { HostConfig: host } = record;
  const pidOf = (mode: string) => pidOfContainer(setting.places, mode);
  return {
    rootfs,
    places: containerPlaces(setting.places, record.Id),
    user: userOf(setting.sys, rootfs, record.Config.User ?? '', host.GroupAdd),
    hasUnifiedCgroups: existsSync('/sys/fs/cgroup/cgroup.controllers'),
    isNamespaced: isInUserNamespace(setting.sys),
    hasMessageQueues: existsSync('/dev/mqueue'),
    devices: host.Privileged
      ? allDevices('/dev')
      : host.Devices.flatMap(({ PathOnHost, PathInContainer, CgroupPermissions }) =>
          devicesAt(PathOnHost, PathInContainer, CgroupPermissions),
        ),
    sharedMemory: sharedMemoryOf(host.IpcMode, pidOf),
    initProgram: host.Init ? initProgram() : undefined,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
    pidOf,
  };
}

function sharedMemoryOf(mode: string, pidOf: (mode: string) => number): string | undefined {
  if (mode === 'host') return '/dev/shm';
  return mode.startsWith('container:') ? `/proc/${pidOf(mode)}/root/dev/shm` : undefined;
}

/** @throws ContainerError no-such-container, not-running */
function pidOfContainer(places: Places, mode: string): number {
  const id = findId(places, mode.slice('container:'.length));
  const state = readContainer(places, id)?.state;
  if (state === undefined || !isRunning(state)) {
    throw new ContainerError('not-running', `cannot join network namespace of a non running container: ${mode.slice('container:'.length)}`);
  }
  return state.pid;
}

const S_IFBLK = 0o060000;
const S_IFCHR = 0o020000;
const S_IFMT = 0o170000;

/** A device, or all devices of a directory. @throws ContainerError invalid */
function devicesAt(source: string, target: string, access: string): HostDevice[] {
  let status: ReturnType<typeof statSync>;
  try {
    status = statSync(source);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    throw new ContainerError(
      'invalid',
      `error gathering device information while adding custom device "${source}": no such file or directory`,
      { cause: error },
    );
  }
  if (status.isDirectory()) return readdirSync(source).flatMap((name) => deviceOrNothing(join(source, name), join(target, name), access));
  const found = deviceOrNothing(source, target, access);
  if (found.length === 0) throw invalid(`error gathering device information while adding custom device "${source}": not a device node`);
  return found;
}

function deviceOrNothing(source: string, target: string, access: string): HostDevice[] {
  const { mode, rdev, uid, gid } = statSync(source);
  const kind = mode & S_IFMT;
  if (kind !== S_IFBLK && kind !== S_IFCHR) return [];
  const type = kind === S_IFBLK ? 'b' : 'c';
  return [{ access, device: { type, path: target, ...deviceNumbers(rdev), fileMode: mode & 0o7777, uid, gid } }];
}

/** As glibc's gnu_dev_major and gnu_dev_minor: the numbers are interleaved. */
function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const number = BigInt(rdev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn);
  return { major: Number(major), minor: Number(minor) };
}

/** What a privileged container gets: everything below /dev but terminals and what every container has anyway. */
function allDevices(directory: string): HostDevice[] {
  const skipped = [
    'pts',
    'shm',
    'fd',
    'mqueue',
    'console',
    'ptmx',
    'tty',
    'null',
    'zero',
    'full',
    'random',
    'urandom',
    'stdin',
    'stdout',
    'stderr',
  ];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (directory === '/dev' && skipped.includes(entry.name)) return [];
    if (entry.isDirectory()) return allDevices(path);
    return entry.isBlockDevice() || entry.isCharacterDevice() ? deviceOrNothing(path, path, 'rwm') : [];
  });
}

const INIT_PROGRAMS = [
  '/usr/libexec/docker/docker-init',
  '/usr/bin/docker-init',
  '/usr/sbin/docker-init',
  '/usr/bin/tini-static',
  '/usr/bin/catatonit',
  '/usr/libexec/podman/catatonit',
  '/usr/bin/tini',
];

/** @throws ContainerError unsupported, naming the package */
function initProgram(): string {
  const found = INIT_PROGRAMS.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ContainerError('unsupported', '--init needs a static init program on the host', {
    hint: 'Install one: on Debian apt-get install tini (or catatonit).',
  });
}
