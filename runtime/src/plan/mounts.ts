/** config.json's mounts as steps, in their order (config.md, "Mounts"). */
import type { Mount } from '../../../specs/runtime/mounts.ts';
import { MOUNT_ATTR_RDONLY } from '../linux/mount-flags.ts';
import type { HostFacts } from './host-facts.ts';
import { type AttributeChange, type MountOptions, parseMountOptions } from './mount-options.ts';
import { isSeparate, type NamespacePlan } from './namespaces.ts';
import { planError } from './problem.ts';
import type { BindStep, FilesystemStep, IdMap, PreparedSource, RemountStep } from './steps.ts';

export interface MountContext {
  readonly host: HostFacts;
  readonly namespaces: NamespacePlan;
  /** SELinux context for mounts. */
  readonly mountLabel: string | undefined;
}

/** File systems without extended attributes refuse a `context=` option. */
const UNLABELLED = ['proc', 'sysfs', 'cgroup', 'cgroup2', 'mqueue'];

/**
 * What may be mounted over inside /proc: files that tools like lxcfs replace. Anything else there could fake what the runtime or a security
 * module reads and writes (CVE-2019-16884, CVE-2019-19921, CVE-2023-28642).
 */
const PROC_FILES_FOR_BINDS = [
  'cpuinfo',
  'diskstats',
  'meminfo',
  'stat',
  'swaps',
  'uptime',
  'loadavg',
  'slabinfo',
  'net/dev',
  'sys/kernel/ns_last_pid',
  'sys/crypto/fips_enabled',
];

/** A path without empty, `.` and `..` parts, absolute. Lexical: symbolic links are the kernel's affair. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function checkProcDestination(destination: string, type: string, bind: boolean, at: string): void {
  if (!destination.startsWith('/proc/')) return;
  if (bind && PROC_FILES_FOR_BINDS.includes(destination.slice('/proc/'.length))) return;
  throw planError(`${at}.destination`, `${JSON.stringify(destination)} cannot be mounted because it is inside /proc (${type || 'bind'})`);
}

/** Mounts whose source only the runtime can open: id-mapped ones, and all bind mounts when the container's root is nobody on the host. */
function prepared(mount: Mount, options: MountOptions, context: MountContext, index: number): PreparedSource | undefined {
  const mapped = options.idMap !== 'no' || (mount.uidMappings?.length ?? 0) > 0;
  const userNamespace = context.namespaces.create.includes('user') || context.namespaces.join.some((join) => join.type === 'user');
  if (!mapped && !(userNamespace && context.host.euid === 0 && !context.host.inUserNamespace)) return undefined;
  if (!mapped) return { index, idMap: undefined };
  const own = (mount.uidMappings?.length ?? 0) > 0;
  const uidMappings: readonly IdMap[] = own ? (mount.uidMappings ?? []) : context.namespaces.uidMappings;
  const gidMappings: readonly IdMap[] = own ? (mount.gidMappings ?? []) : context.namespaces.gidMappings;
  if (uidMappings.length === 0) {
    throw planError(`mounts[${index}]`, 'an id-mapped mount needs uidMappings and gidMappings, or a new user namespace to take them from');
  }
  return { index, idMap: { recursive: options.idMap === 'tree', uidMappings, gidMappings } };
}

function label(data: readonly string[], type: string, context: MountContext): readonly string[] {
  if (context.mountLabel === undefined || context.mountLabel === '' || UNLABELLED.includes(type)) return data;
  return [...data, `context="${context.mountLabel}"`];
}

/** With the host's cgroup namespace the container must not be able to write to the host's hierarchy (CVE-2023-25809). */
function readOnly(attributes: AttributeChange): AttributeChange {
  return { set: attributes.set | MOUNT_ATTR_RDONLY, clear: attributes.clear & ~MOUNT_ATTR_RDONLY };
}

function planCgroup(mount: Mount, options: MountOptions, context: MountContext, at: string): FilesystemStep | BindStep {
  const { host, namespaces } = context;
  const common = {
    destination: cleanPath(mount.destination),
    configPath: at,
    attributes: options.attributes,
    recursiveAttributes: options.recursiveAttributes,
    propagations: options.propagations,
  };
  if (isSeparate(namespaces, 'cgroup')) {
    return { ...common, kind: 'mount', type: 'cgroup2', source: mount.source ?? 'cgroup', superFlags: 0, data: [], copyUp: false };
  }
  if (host.cgroupDirectory === undefined) {
    throw planError(at, 'a cgroup mount needs a cgroup namespace or a cgroup of its own', 'add {"type":"cgroup"} to linux.namespaces');
  }
  const rootless = host.euid !== 0 || host.inUserNamespace || isSeparate(namespaces, 'user');
  const attributes = rootless ? readOnly(options.attributes) : options.attributes;
  return { ...common, kind: 'bind', source: host.cgroupDirectory, recursive: true, attributes, prepared: undefined };
}

function absoluteSource(source: string, bundle: string): string {
  return source.startsWith('/') ? source : `${bundle}/${source}`;
}

function planBind(mount: Mount, options: MountOptions, context: MountContext, index: number): BindStep {
  const at = `mounts[${index}]`;
  if (mount.source === undefined || mount.source === '') throw planError(`${at}.source`, 'a bind mount needs a source');
  return {
    kind: 'bind',
    configPath: at,
    destination: cleanPath(mount.destination),
    source: absoluteSource(mount.source, context.host.bundle),
    recursive: options.bind === 'tree',
    attributes: options.attributes,
    recursiveAttributes: options.recursiveAttributes,
    propagations: options.propagations,
    prepared: prepared(mount, options, context, index),
  };
}

export type MountStep = FilesystemStep | BindStep | RemountStep;

/** Numbers the sources that the runtime opens, in the order of the mounts. */
export function numberPrepared(steps: readonly MountStep[]): MountStep[] {
  let next = 0;
  return steps.map((step) => {
    if (step.kind !== 'bind' || step.prepared === undefined) return step;
    const prepared = { ...step.prepared, index: next };
    next++;
    return { ...step, prepared };
  });
}

/** One entry of `mounts`. */
export function planMount(mount: Mount, index: number, context: MountContext): MountStep {
  const at = `mounts[${index}]`;
  const options = parseMountOptions(mount.options ?? []);
  const destination = cleanPath(mount.destination);
  const type = mount.type ?? '';
  checkProcDestination(destination, type, options.bind !== 'no', at);
  const common = {
    destination,
    configPath: at,
    attributes: options.attributes,
    recursiveAttributes: options.recursiveAttributes,
    propagations: options.propagations,
  };
  if (options.remount) {
    return { ...common, kind: 'remount', mountOnly: options.bind !== 'no', superFlags: options.superFlags, data: options.data };
  }
  if (options.bind !== 'no') return planBind(mount, options, context, index);
  if (type === 'cgroup' || type === 'cgroup2') return planCgroup(mount, options, context, at);
  if (type === '') throw planError(`${at}.type`, 'a mount without the option bind or rbind needs a type');
  if (destination === '/proc' && type !== 'proc') throw planError(`${at}.type`, `/proc must be of type proc, not ${type}`);
  if (options.copyUp && type !== 'tmpfs') throw planError(`${at}.options`, 'tmpcopyup is for tmpfs only');
  return {
    ...common,
    kind: 'mount',
    type,
    source: mount.source ?? type,
    superFlags: options.superFlags,
    data: label(splitData(options.data), type, context),
    copyUp: options.copyUp,
  };
}

/** Options may come joined by commas, as mount(8) takes them. A comma in double quotes, or behind a backslash, belongs to its option. */
function splitData(options: readonly string[]): string[] {
  return options.flatMap((option) => option.match(/(?:\\.|[^,"\\]|"[^"]*")+/g) ?? []);
}
