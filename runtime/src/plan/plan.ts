/**
 * config.json → plan: every step of making a container, in order, with reasons. Pure: it needs no rights and touches nothing, so
 * `tsrun plan` can print it and tests can compare it.
 */
import type { Config } from '../../../specs/runtime/config.ts';
import type { Linux } from '../../../specs/runtime/linux/linux.ts';
import type { Process } from '../../../specs/runtime/process.ts';
import { MOUNT_ATTR_RDONLY, MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE } from '../linux/mount-flags.ts';
import { furnishesDev, planDevices, planLinks } from './devices.ts';
import type { HostFacts } from './host-facts.ts';
import { type Propagation, propagationNamed } from './mount-options.ts';
import { cleanPath, type MountStep, numberPrepared, planMount } from './mounts.ts';
import { isSeparate, type NamespacePlan, planNamespaces } from './namespaces.ts';
import { planError } from './problem.ts';
import { type ExecutePlan, planProcess, planSysctls } from './process.ts';
import { planMemoryPolicy, planPersonality } from './scheduling.ts';
import type { ConsoleStep, PivotStep, RootStep, Step } from './steps.ts';

export interface PlanOptions {
  readonly id: string;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
}

export interface Plan {
  readonly namespaces: NamespacePlan;
  /** In the container's namespaces, before any hook. */
  readonly prepare: readonly Step[];
  /** After the createContainer hooks, up to the new root. */
  readonly enter: readonly Step[];
  /** The process becomes who it will be. */
  readonly become: readonly Step[];
  /** After start. */
  readonly execute: ExecutePlan;
  readonly oomScoreAdj: number | undefined;
  readonly terminal: boolean;
  readonly warnings: readonly string[];
}

function requireProcess(config: Config): Process {
  if (config.process === undefined) throw planError('process', 'the container has no process to run');
  return config.process;
}

function rootPath(config: Config, host: HostFacts): string {
  const path = config.root?.path;
  if (path === undefined || path === '') throw planError('root.path', 'the container has no root file system');
  return path.startsWith('/') ? path : `${host.bundle}/${path}`;
}

function planRoot(config: Config, host: HostFacts): RootStep {
  const name = config.linux?.rootfsPropagation;
  // Without a wish the container receives what the host mounts, and gives nothing back.
  const outer: Propagation = (name === undefined ? undefined : propagationNamed(name)) ?? { flag: MS_SLAVE, recursive: true };
  // Unbindable is private, and more: the root's tree could not be copied.
  const flag = outer.flag === MS_UNBINDABLE ? MS_PRIVATE : outer.flag;
  return {
    kind: 'root',
    configPath: 'root.path',
    path: rootPath(config, host),
    outer: { flag, recursive: true },
    detach: outer.flag === MS_SHARED,
    masks: (config.linux?.maskedPaths ?? []).length > 0,
  };
}

/** A read-only /dev is made read-only only after its devices are there. */
function splitDev(mount: MountStep): { readonly now: MountStep; readonly later: Step[] } {
  const readOnlyDev = mount.kind === 'mount' && mount.destination === '/dev' && (mount.attributes.set & MOUNT_ATTR_RDONLY) !== 0;
  if (!readOnlyDev) return { now: mount, later: [] };
  const now: MountStep = {
    ...mount,
    attributes: { set: mount.attributes.set & ~MOUNT_ATTR_RDONLY, clear: mount.attributes.clear },
    superFlags: mount.superFlags & ~1,
  };
  const later: Step = {
    kind: 'remount',
    destination: '/dev',
    mountOnly: true,
    attributes: { set: MOUNT_ATTR_RDONLY, clear: 0 },
    recursiveAttributes: undefined,
    superFlags: 0,
    data: [],
    propagations: [],
    ...(mount.configPath === undefined ? {} : { configPath: mount.configPath }),
  };
  return { now, later: [later] };
}

export function planConsole(process: Process, separateMounts: boolean): ConsoleStep[] {
  if (process.terminal !== true) return [];
  const size = process.consoleSize;
  return [
    {
      kind: 'console',
      configPath: 'process.terminal',
      mount: separateMounts,
      size: size === undefined ? undefined : { height: Number(size.height), width: Number(size.width) },
      uid: process.user?.uid ?? 0,
    },
  ];
}

/** The namespaces' own properties that must be there before the first mount. */
function planFirst(namespaces: NamespacePlan, options: PlanOptions): Step[] {
  return [
    ...(isSeparate(namespaces, 'user') ? [{ kind: 'become-root' } as const] : []),
    ...(namespaces.late.length > 0 ? [{ kind: 'unshare', namespaces: namespaces.late, configPath: 'linux.namespaces' } as const] : []),
    { kind: 'session' },
    ...(options.noNewKeyring ? [] : [{ kind: 'keyring', name: `_ses.${options.id}`, findable: true } as const]),
    ...(namespaces.create.includes('network') ? [{ kind: 'loopback' } as const] : []),
  ];
}

interface RootfsPlan {
  readonly prepare: readonly Step[];
  readonly enter: readonly Step[];
}

function planRootfs(config: Config, host: HostFacts, namespaces: NamespacePlan): RootfsPlan {
  const context = { host, namespaces, mountLabel: config.linux?.mountLabel };
  const mounts = numberPrepared((config.mounts ?? []).map((mount, index) => planMount(mount, index, context))).map(splitDev);
  const bindDevices = isSeparate(namespaces, 'user') || host.inUserNamespace || host.euid !== 0;
  const dev: Step[] = furnishesDev(config) ? [...planDevices(config, bindDevices), ...planLinks(host)] : [];
  const process = requireProcess(config);
  const cwd = cleanPath(process.cwd);
  const paths = config.linux ?? {};
  return {
    prepare: [planRoot(config, host), ...mounts.map(({ now }) => now), ...dev],
    enter: [
      ...planConsole(process, true),
      ...(cwd === '/' ? [] : [{ kind: 'directory', path: cwd, configPath: 'process.cwd' } as const]),
      ...mounts.flatMap(({ later }) => later),
      ...planSysctls(config),
      ...(paths.readonlyPaths ?? []).map(
        (path, index): Step => ({ kind: 'readonly', path: cleanPath(path), configPath: `linux.readonlyPaths[${index}]` }),
      ),
      // After read-only paths: a path in both lists is to be masked.
      ...(paths.maskedPaths ?? []).map(
        (path, index): Step => ({ kind: 'mask', path: cleanPath(path), configPath: `linux.maskedPaths[${index}]` }),
      ),
      ...(config.root?.readonly === true ? [{ kind: 'readonly-root', configPath: 'root.readonly' } as const] : []),
    ],
  };
}

function planPivot(config: Config, namespaces: NamespacePlan, noPivot: boolean): PivotStep {
  const name = config.linux?.rootfsPropagation;
  const propagation = name === undefined ? undefined : propagationNamed(name);
  let method: PivotStep['method'] = noPivot ? 'move' : 'pivot';
  if (!isSeparate(namespaces, 'mount')) method = 'chroot';
  return { kind: 'pivot', method, propagation };
}

function planNames(config: Config): Step[] {
  return [
    ...(config.hostname === undefined || config.hostname === ''
      ? []
      : [{ kind: 'hostname', name: config.hostname, configPath: 'hostname' } as const]),
    ...(config.domainname === undefined || config.domainname === ''
      ? []
      : [{ kind: 'domainname', name: config.domainname, configPath: 'domainname' } as const]),
  ];
}

/** What is asked for and not done would be a false promise: of isolation, or of a device. */
function refuseUnsupported(linux: Linux, rootless: boolean): void {
  if (rootless && Object.keys(linux.netDevices ?? {}).length > 0)
    throw planError('linux.netDevices', 'network devices are not supported for rootless containers');
}

/** @throws RuntimeError with code 'plan' for what this host cannot carry out. */
export function planContainer(config: Config, host: HostFacts, options: PlanOptions): Plan {
  const linux = config.linux ?? {};
  const rootless = host.euid !== 0 || host.inUserNamespace;
  refuseUnsupported(linux, rootless);
  const namespaces = planNamespaces(linux);
  const process = requireProcess(config);
  const planned = planProcess(process, {
    host,
    userNamespace: isSeparate(namespaces, 'user'),
    // Without newgidmap one's own group alone can be mapped, and setgroups(2) is denied for ever.
    setGroupsDenied:
      rootless &&
      namespaces.create.includes('user') &&
      namespaces.gidMappings.every((map) => map.size === 1) &&
      namespaces.gidMappings.length <= 1,
    seccomp: linux.seccomp,
  });
  const rootfs = planRootfs(config, host, namespaces);
  return {
    namespaces,
    prepare: [...planFirst(namespaces, options), ...rootfs.prepare],
    enter: [...planNames(config), ...rootfs.enter, planPivot(config, namespaces, options.noPivot)],
    become: [
      ...(linux.personality === undefined ? [] : [planPersonality(linux.personality)]),
      ...(linux.memoryPolicy === undefined ? [] : [planMemoryPolicy(linux.memoryPolicy)]),
      ...planned.steps,
    ],
    execute: planned.execute,
    oomScoreAdj: process.oomScoreAdj,
    terminal: process.terminal === true,
    warnings: planned.warnings,
  };
}
