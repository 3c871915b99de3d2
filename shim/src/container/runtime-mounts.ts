/** The mounts of a container: the system's, our own files in /etc, and what the user mounts. */

import type { Mount } from '../../../specs/runtime/mounts.ts';
import type { ContainerPlaces } from './places.ts';
import type { ContainerRecord, HostConfig } from './record.ts';

export interface MountFacts {
  readonly places: ContainerPlaces;
  /** The whole hierarchy is v2: the container sees its own part of it. */
  readonly hasUnifiedCgroups: boolean;
  /** /dev/shm of the container or host whose IPC namespace is joined. */
  readonly sharedMemory: string | undefined;
  /** We are root of no more than a user namespace, which may mount only what belongs to it. */
  readonly isNamespaced: boolean;
  /** The host has message queues in /dev/mqueue. */
  readonly hasMessageQueues: boolean;
  /** A program to be pid 1, for --init. */
  readonly initProgram: string | undefined;
}

/** Where --init's program lies in the container, as with docker. */
export const INIT_TARGET = '/sbin/docker-init';

export function runtimeMounts(record: ContainerRecord, facts: MountFacts): Mount[] {
  const user = userMounts(record);
  const isTaken = (destination: string) => user.some((mount) => mount.destination === destination);
  return [...systemMounts(record.HostConfig, facts), ...ownFiles(record, facts)]
    .filter((mount) => !isTaken(mount.destination))
    .concat(user);
}

function mount(destination: string, type: string, source: string, ...options: string[]): Mount {
  return { destination, type, source, options };
}

function systemMounts(host: HostConfig, facts: MountFacts): Mount[] {
  const access = host.Privileged ? 'rw' : 'ro';
  // The host's own, where the namespace is the host's: a user namespace may mount it anew only for namespaces that belong to it.
  const bound = (place: string, isHosts: boolean, ...options: string[]) =>
    facts.isNamespaced && isHosts ? mount(place, 'bind', place, 'rbind', 'rslave', 'nosuid', 'noexec', 'nodev', ...options) : undefined;
  const queues = bound('/dev/mqueue', host.IpcMode === 'host') ?? mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev');
  const messageQueues = queues.type === 'bind' && !facts.hasMessageQueues ? [] : [queues];
  return [
    bound('/proc', host.PidMode === 'host') ?? mount('/proc', 'proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    mount('/dev/pts', 'devpts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
    bound('/sys', host.NetworkMode === 'host', access) ?? mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', access),
    ...(facts.hasUnifiedCgroups ? [mount('/sys/fs/cgroup', 'cgroup', 'cgroup', access, 'nosuid', 'noexec', 'nodev')] : []),
    ...messageQueues,
    facts.sharedMemory === undefined
      ? mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', `size=${host.ShmSize}`)
      : mount('/dev/shm', 'bind', facts.sharedMemory, 'rbind', 'rprivate', 'nosuid', 'noexec', 'nodev'),
  ];
}

function ownFiles({ HostConfig }: ContainerRecord, { places, initProgram }: MountFacts): Mount[] {
  const access = HostConfig.ReadonlyRootfs ? 'ro' : 'rw';
  const bind = (destination: string, source: string) => mount(destination, 'bind', source, 'rbind', 'rprivate', access);
  return [
    bind('/etc/resolv.conf', places.resolvConf),
    bind('/etc/hostname', places.hostname),
    bind('/etc/hosts', places.hosts),
    ...(initProgram === undefined ? [] : [mount(INIT_TARGET, 'bind', initProgram, 'bind', 'ro')]),
  ];
}

/** Outer ones first: a mount on /a must not hide one on /a/b. */
function userMounts(record: ContainerRecord): Mount[] {
  const tmpfs = Object.entries(record.HostConfig.Tmpfs).map(([destination, options]) => tmpfsMount(destination, options));
  const others = record.Mounts.map((point) => {
    if (point.Type === 'tmpfs') return tmpfsMount(point.Destination, point.Mode);
    const propagation = point.Propagation === '' ? 'rprivate' : point.Propagation;
    return mount(point.Destination, 'bind', point.Source, 'rbind', point.RW ? 'rw' : 'ro', propagation);
  });
  return [...tmpfs, ...others].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function tmpfsMount(destination: string, options: string): Mount {
  return mount(destination, 'tmpfs', 'tmpfs', 'nosuid', 'nodev', 'noexec', ...options.split(',').filter((option) => option !== ''));
}

function depth(path: string): number {
  return path.split('/').length;
}
