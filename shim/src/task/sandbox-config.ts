/**
 * A pod as a container: namespaces, host name, sysctls and cgroup, and a process that is never started. Pure.
 *
 * What of CRI's runtime.v1.PodSandboxConfig is read is listed here by field numbers; the rest is for the containers of the pod.
 */
import { type Config, SPEC_VERSION } from '../../../specs/runtime/config.ts';
import type { Namespace } from '../../../specs/runtime/linux/namespaces.ts';
import { bytesOf, type Field, numberOf, readFields } from '../base/wire.ts';

/** In the bundle; its `rootfs` must be empty when containerd removes it. */
export const POD_ROOT = 'pod';

/** In the sandbox's root: there must be something that could be started. */
export const NEVER_STARTED = 'pod';

/** runtime.v1.NamespaceMode */
const NODE = 2;

export interface PodConfig {
  readonly hostname: string;
  readonly cgroupParent: string;
  readonly sysctls: Readonly<Record<string, string>>;
  /** These are the host's. */
  readonly host: { readonly network: boolean; readonly pid: boolean; readonly ipc: boolean };
  /** A user namespace of the pod's own; undefined for the host's. */
  readonly userNamespace: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] } | undefined;
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** Without bytes: a pod with namespaces of its own. Throws a RangeError on bytes that are no message. */
export function parsePodConfig(bytes: Uint8Array): PodConfig {
  const pod = readFields(bytes);
  const linux = message(pod, 8);
  const namespaces = message(message(linux, 2), 1);
  const user = message(namespaces, 5);
  return {
    hostname: text(pod, 3),
    cgroupParent: text(linux, 1),
    sysctls: Object.fromEntries(messages(linux, 3).map((entry) => [text(entry, 1), text(entry, 2)])),
    host: { network: numberOf(namespaces, 1) === NODE, pid: numberOf(namespaces, 2) === NODE, ipc: numberOf(namespaces, 3) === NODE },
    userNamespace: user.length === 0 || numberOf(user, 1) === NODE ? undefined : { uids: mappings(user, 2), gids: mappings(user, 3) },
  };
}

/** `namespacePath`: the network namespace that CRI has made; '' when there is none. */
export function podContainer(id: string, pod: PodConfig, namespacePath: string, annotations: Readonly<Record<string, string>>): Config {
  const { host, userNamespace: user } = pod;
  const namespaces: Namespace[] = [
    { type: 'mount' },
    ...(host.pid ? [] : [{ type: 'pid' as const }]),
    ...(host.ipc ? [] : [{ type: 'ipc' as const }]),
    ...(host.network
      ? []
      : [{ type: 'uts' as const }, { type: 'network' as const, ...(namespacePath === '' ? {} : { path: namespacePath }) }]),
    ...(user === undefined ? [] : [{ type: 'user' as const }]),
  ];
  return {
    ociVersion: SPEC_VERSION,
    process: { args: [`/${NEVER_STARTED}`], cwd: '/', user: { uid: 0, gid: 0 }, noNewPrivileges: true },
    root: { path: POD_ROOT, readonly: true },
    ...(host.network || pod.hostname === '' ? {} : { hostname: pod.hostname }),
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'noexec', 'mode=755', 'size=64k'] },
    ],
    annotations: { ...annotations },
    linux: {
      namespaces,
      sysctl: { ...pod.sysctls },
      ...(user === undefined ? {} : { uidMappings: [...user.uids], gidMappings: [...user.gids] }),
      ...(pod.cgroupParent === '' ? {} : { cgroupsPath: cgroupsPath(pod.cgroupParent, id) }),
    },
  };
}

/** As the CRI plugin names the cgroups of its containers. */
function cgroupsPath(parent: string, id: string): string {
  const base = parent.slice(parent.lastIndexOf('/') + 1);
  return base.endsWith('.slice') ? `${base}:cri-containerd:${id}` : `${parent}/${id}`;
}

function message(fields: readonly Field[], number: number): Field[] {
  return readFields(bytesOf(fields, number) ?? new Uint8Array());
}

function messages(fields: readonly Field[], number: number): Field[][] {
  return fields.flatMap((field) => (field.number === number && typeof field.value !== 'number' ? [readFields(field.value)] : []));
}

function text(fields: readonly Field[], number: number): string {
  return new TextDecoder().decode(bytesOf(fields, number) ?? new Uint8Array());
}

/** runtime.v1.IDMapping: host_id 1, container_id 2, length 3. */
function mappings(fields: readonly Field[], number: number): IdMapping[] {
  return messages(fields, number).map((mapping) => ({
    hostID: numberOf(mapping, 1),
    containerID: numberOf(mapping, 2),
    size: numberOf(mapping, 3),
  }));
}
