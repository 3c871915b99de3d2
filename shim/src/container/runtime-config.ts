/** A container's record as the runtime's config.json. Pure: what it needs to know of the host and of other containers it is told. */

import { DEFAULT_PATH, MASKED_PATHS, READONLY_PATHS } from '../../../imagetool/src/image/bundle-config.ts';
import { seccompProfile } from '../../../imagetool/src/image/seccomp-profile.ts';
import type { ResolvedUser } from '../../../imagetool/src/image/users.ts';
import type { Config } from '../../../specs/runtime/config.ts';
import type { Capabilities } from '../../../specs/runtime/linux/capabilities.ts';
import type { Device } from '../../../specs/runtime/linux/devices.ts';
import type { Namespace } from '../../../specs/runtime/linux/namespaces.ts';
import type { DeviceCgroup } from '../../../specs/runtime/linux/resources.ts';
import type { Process } from '../../../specs/runtime/process.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { ContainerRecord, HostConfig } from './record.ts';
import { runtimeResources } from './resources.ts';
import { INIT_TARGET, type MountFacts, runtimeMounts } from './runtime-mounts.ts';
import { securityOptions } from './security-options.ts';

export interface HostDevice {
  readonly device: Device;
  readonly access: string;
}

export interface RuntimeFacts extends MountFacts {
  /** The mounted root file system. */
  readonly rootfs: string;
  readonly user: ResolvedUser;
  readonly devices: readonly HostDevice[];
  /** Processes whose namespaces are joined, by what is asked for: `container:NAME`. */
  readonly pidOf: (mode: string) => number;
  readonly architecture: 'x64' | 'arm64';
}

const SPEC_VERSION = '1.0.2';

/** @throws ContainerError invalid */
export function runtimeConfig(record: ContainerRecord, facts: RuntimeFacts): Config {
  const { Config: run, HostConfig: host } = record;
  const security = securityOptions(host.SecurityOpt);
  const capabilities = capabilitiesOf(host);
  const areSystemPathsOpen = host.Privileged || security.areSystemPathsOpen;
  const seccomp = security.seccomp ?? seccompProfile(capabilities, facts.architecture);
  const ownsUts = host.UTSMode !== 'host' && host.NetworkMode !== 'host';
  return {
    ociVersion: SPEC_VERSION,
    process: {
      terminal: run.Tty,
      user: { uid: facts.user.uid, gid: facts.user.gid, umask: 0o022, additionalGids: [...facts.user.additionalGids] },
      args: commandLine(record, facts),
      env: environmentOf(record, facts.user),
      cwd: run.WorkingDir === undefined || run.WorkingDir === '' ? '/' : run.WorkingDir,
      capabilities: capabilitySets(capabilities, facts.user),
      noNewPrivileges: security.noNewPrivileges,
      ...(security.apparmor === undefined || security.apparmor === 'unconfined' ? {} : { apparmorProfile: security.apparmor }),
      ...(host.Ulimits.length === 0 ? {} : { rlimits: rlimitsOf(host) }),
      ...(host.OomScoreAdj === 0 ? {} : { oomScoreAdj: host.OomScoreAdj }),
    },
    root: { path: facts.rootfs, readonly: host.ReadonlyRootfs },
    ...(ownsUts ? { hostname: run.Hostname } : {}),
    ...(ownsUts && run.Domainname !== undefined ? { domainname: run.Domainname } : {}),
    mounts: runtimeMounts(record, facts),
    annotations: { ...host.Annotations, 'io.tsctl.name': record.Name, 'io.tsctl.image': run.Image },
    linux: {
      namespaces: namespacesOf(host, facts),
      ...cgroupOf(record, facts),
      ...(Object.keys(host.Sysctls).length === 0 ? {} : { sysctl: host.Sysctls }),
      devices: facts.devices.map(({ device }) => device),
      ...(areSystemPathsOpen ? {} : { maskedPaths: [...MASKED_PATHS], readonlyPaths: [...READONLY_PATHS] }),
      ...(host.Privileged || seccomp === 'unconfined' ? {} : { seccomp }),
      ...(record.Mounts.some(({ Propagation }) => Propagation.includes('shared')) ? { rootfsPropagation: 'rshared' as const } : {}),
    },
  };
}

/** The root of a user namespace has no cgroup to limit, and device nodes only of those that the user can open. */
function cgroupOf(
  { Id, HostConfig: host }: ContainerRecord,
  facts: RuntimeFacts,
): Pick<NonNullable<Config['linux']>, 'cgroupsPath' | 'resources'> {
  if (facts.isNamespaced) return {};
  const parent = host.CgroupParent === '' ? '/tsctl' : host.CgroupParent.replace(/\/$/, '');
  return { cgroupsPath: `${parent}/${Id}`, resources: { ...runtimeResources(host), devices: deviceRules(host, facts.devices) } };
}

/** What `exec` runs differs from the container's own process in a few things. */
export interface ExecOptions {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string | undefined;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly user: ResolvedUser;
}

export function execProcess(record: ContainerRecord, options: ExecOptions): Process {
  const host = { ...record.HostConfig, Privileged: record.HostConfig.Privileged || options.privileged };
  const run = { ...record.Config, Env: [...options.env], Tty: options.tty };
  const cwd = options.cwd ?? record.Config.WorkingDir;
  return {
    terminal: options.tty,
    user: { uid: options.user.uid, gid: options.user.gid, umask: 0o022, additionalGids: [...options.user.additionalGids] },
    args: [...options.args],
    env: environmentOf({ ...record, Config: run }, options.user),
    cwd: cwd === undefined || cwd === '' ? '/' : cwd,
    capabilities: capabilitySets(capabilitiesOf(host), options.user),
    noNewPrivileges: securityOptions(host.SecurityOpt).noNewPrivileges,
    ...(host.Ulimits.length === 0 ? {} : { rlimits: rlimitsOf(host) }),
  };
}

function commandLine({ Config: run, HostConfig: host }: ContainerRecord, facts: RuntimeFacts): string[] {
  const words = [...(run.Entrypoint ?? []), ...(run.Cmd ?? [])];
  return host.Init && facts.initProgram !== undefined ? [INIT_TARGET, '--', ...words] : words;
}

/** The user's and the image's, with what docker adds where they do not say it. */
function environmentOf({ Config: run, HostConfig: host }: ContainerRecord, user: ResolvedUser): string[] {
  const env = run.Env ?? [];
  const has = (name: string) => env.some((pair) => pair.startsWith(`${name}=`));
  const hostname = host.NetworkMode === 'host' ? [] : [`HOSTNAME=${run.Hostname}`];
  return [
    ...(has('PATH') ? [] : [`PATH=${DEFAULT_PATH}`]),
    ...(has('HOSTNAME') ? [] : hostname),
    ...(run.Tty && !has('TERM') ? ['TERM=xterm'] : []),
    ...env.map((pair) => (pair.includes('=') ? pair : `${pair}=`)),
    ...(has('HOME') ? [] : [`HOME=${user.home === undefined || user.home === '' ? '/' : user.home}`]),
  ];
}

/** Who is not root holds what is in the bounding set only by what a file gives. */
function capabilitySets(names: readonly string[], user: ResolvedUser): Capabilities {
  const held = user.uid === 0 ? [...names] : [];
  return { bounding: [...names], effective: held, permitted: held };
}

function rlimitsOf(host: HostConfig): NonNullable<Process['rlimits']> {
  const limit = (value: number) => (value === -1 ? 2n ** 64n - 1n : BigInt(value));
  return host.Ulimits.map(({ Name, Soft, Hard }) => ({
    type: `RLIMIT_${Name.toUpperCase()}` as NonNullable<Process['rlimits']>[number]['type'],
    soft: limit(Soft),
    hard: limit(Hard),
  }));
}

function namespacesOf(host: HostConfig, facts: RuntimeFacts): Namespace[] {
  const joined = (type: Namespace['type'], kind: string, mode: string): Namespace[] => {
    if (mode === 'host') return [];
    return mode.startsWith('container:') ? [{ type, path: `/proc/${facts.pidOf(mode)}/ns/${kind}` }] : [{ type }];
  };
  return [
    { type: 'mount' },
    ...joined('network', 'net', host.NetworkMode),
    ...joined('uts', 'uts', host.UTSMode === 'host' || host.NetworkMode === 'host' ? 'host' : utsMode(host)),
    ...joined('ipc', 'ipc', host.IpcMode),
    ...joined('pid', 'pid', host.PidMode),
    ...(facts.hasUnifiedCgroups && !host.Privileged ? [{ type: 'cgroup' as const }] : []),
  ];
}

/** Containers that share a network share the host's name in it. */
function utsMode(host: HostConfig): string {
  return host.NetworkMode.startsWith('container:') ? host.NetworkMode : '';
}

function deviceRules(host: HostConfig, devices: readonly HostDevice[]): DeviceCgroup[] {
  if (host.Privileged) return [{ allow: true, access: 'rwm' }];
  return [
    { allow: false, access: 'rwm' },
    ...devices.map(({ device, access }): DeviceCgroup => {
      const { major = 0n, minor = 0n } = device;
      return { allow: true, type: device.type === 'b' ? 'b' : 'c', major, minor, access };
    }),
  ];
}
