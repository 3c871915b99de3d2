/** Starting, changing and stopping a container's unit. */
import { RuntimeError } from '../../base/errors.ts';
import { lstat } from '../../linux/stat.ts';
import type { Sys } from '../../sys/sys.ts';
import { cgroupOfProcess } from '../hierarchy.ts';
import { cleanPath, expandSlice, type SystemdUnit } from '../path.ts';
import type { ResourceWrite } from '../resources/write.ts';
import { Bus, BusError, MANAGER_INTERFACE } from './bus.ts';
import { annotationProperties, dependsOnVersion, resourceProperties, startOnlyProperties, unitProperties } from './properties.ts';
import type { BusValue, Property, Variant } from './value.ts';

export interface SystemdOptions {
  /** The caller's own systemd (rootless) instead of the system's. */
  readonly user: boolean;
  /** How long all of the operation may take. Default: 30 s. */
  readonly timeoutMs?: number;
}

export interface StartRequest {
  readonly unit: SystemdUnit;
  readonly id: string;
  /** The process that becomes the first of the scope: the container's init, or its parent that waits to make it. */
  readonly pid: number;
  readonly writes: readonly ResourceWrite[];
  readonly annotations: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Starts a transient scope around a process, or a slice, with the limits that systemd knows. A failed unit of the same name, left over from an
 * earlier container, is cleared away.
 *
 * @returns the path of the unit's cgroup, for `openCgroup`
 * @throws RuntimeError `systemd`, `systemd-timeout`, `systemd-missing`, `systemd-property`
 */
export function startUnit(sys: Sys, request: StartRequest, options: SystemdOptions): string {
  return withBus(sys, options, (bus) => {
    const { unit, writes } = request;
    const isSlice = unit.unit.endsWith('.slice');
    const version = dependsOnVersion(writes) ? systemdVersion(bus) : 0;
    const properties = [
      ...unitProperties(request),
      ...resourceProperties(writes, version),
      ...startOnlyProperties(writes, version),
      ...annotationProperties(request.annotations),
    ];
    try {
      runJob(bus, () => startTransient(bus, unit.unit, properties), `start of ${unit.unit}`);
    } catch (error) {
      // A slice that is there already is as good as a new one.
      if (!isSlice || !isBusError(error, 'UnitExists')) throw error;
    }
    return isSlice ? expandSlice(unit.unit) : scopeOf(sys, request);
  });
}

/**
 * The cgroup below which the manager's units are, without slashes around it: '' for the system's.
 * @throws RuntimeError `systemd-missing`; for a user's own also `systemd`, `systemd-timeout`
 */
export function managerCgroup(sys: Sys, options: SystemdOptions): string {
  if (options.user) return withBus(sys, options, (bus) => cleanPath(managerProperty(bus, 'ControlGroup')));
  requireSystemd(sys);
  return '';
}

/** What the manager calls its version. @throws RuntimeError `systemd-missing`, `systemd`, `systemd-timeout` */
export function managerVersion(sys: Sys, options: SystemdOptions): string {
  return withBus(sys, options, (bus) => managerProperty(bus, 'Version'));
}

/** Changes the limits that systemd knows of a running unit, until it stops. The cgroup's files are the caller's to write. */
export function updateUnit(sys: Sys, unitName: string, writes: readonly ResourceWrite[], options: SystemdOptions): void {
  withBus(sys, options, (bus) => {
    const properties = resourceProperties(writes, dependsOnVersion(writes) ? systemdVersion(bus) : 0);
    if (properties.length === 0) return;
    const runtime = { signature: 'b', value: true };
    callManager(bus, 'SetUnitProperties', [text(unitName), runtime, propertyArray(properties)]);
  });
}

/** Stops a unit and waits for its end. A unit that is gone is no error. What is left of its cgroup is for `removeCgroup`. */
export function stopUnit(sys: Sys, unitName: string, options: SystemdOptions): void {
  withBus(sys, options, (bus) => {
    try {
      const job = callManager(bus, 'StopUnit', [text(unitName), text('replace')]);
      bus.waitForJob(job, `stop of ${unitName}`);
    } catch (error) {
      if (!isBusError(error, 'NoSuchUnit')) throw error;
    }
    resetFailed(bus, unitName);
  });
}

function requireSystemd(sys: Sys): void {
  if (lstat(sys, '/run/systemd/system') === undefined) {
    throw new RuntimeError('systemd-missing', 'systemd not running on this host, cannot use systemd cgroups manager', {
      configPath: '--systemd-cgroup',
      hint: 'use the cgroupfs driver: run without --systemd-cgroup',
    });
  }
}

function withBus<T>(sys: Sys, options: SystemdOptions, body: (bus: Bus) => T): T {
  requireSystemd(sys);
  const bus = new Bus(sys, { user: options.user, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS });
  try {
    return body(bus);
  } finally {
    bus.close();
  }
}

function startTransient(bus: Bus, unitName: string, properties: readonly Property[]): string {
  const start = () =>
    callManager(bus, 'StartTransientUnit', [
      text(unitName),
      text('replace'),
      propertyArray(properties),
      { signature: 'a(sa(sv))', value: [] },
    ]);
  try {
    return start();
  } catch (error) {
    if (!isBusError(error, 'UnitExists') || unitName.endsWith('.slice')) throw error;
    resetFailed(bus, unitName);
    return start();
  }
}

function runJob(bus: Bus, queue: () => string, what: string): void {
  const result = bus.waitForJob(queue(), what);
  if (result === 'done') return;
  throw new RuntimeError('systemd', `systemd did not succeed with the ${what}: ${result}`, { hint: 'see journalctl -b for the reason' });
}

/** systemd tells nobody where it has put a process; the kernel does. */
function scopeOf(sys: Sys, { unit, pid }: StartRequest): string {
  const path = cleanPath(cgroupOfProcess(sys, pid) ?? '');
  if (path.endsWith(`/${unit.unit}`)) return path;
  throw new RuntimeError('systemd', `process ${pid} is not in ${unit.unit} after its start, but in /${path}`);
}

function systemdVersion(bus: Bus): number {
  return Number(/\d+/.exec(managerProperty(bus, 'Version'))?.[0] ?? 0);
}

/** A property that is a string. */
function managerProperty(bus: Bus, name: string): string {
  return bus.call({
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    arguments: [text(MANAGER_INTERFACE), text(name)],
  });
}

function resetFailed(bus: Bus, unitName: string): void {
  try {
    callManager(bus, 'ResetFailedUnit', [text(unitName)]);
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
  }
}

function callManager(bus: Bus, member: string, args: readonly Variant[]): string {
  return bus.call({ interface: MANAGER_INTERFACE, member, arguments: args });
}

function text(value: string): Variant {
  return { signature: 's', value };
}

function propertyArray(properties: readonly Property[]): Variant {
  return {
    signature: 'a(sv)',
    value: properties.map(({ name, signature, value }): BusValue => [name, { signature, value }]),
  };
}

function isBusError(error: unknown, name: string): boolean {
  return error instanceof BusError && error.busName.endsWith(`.${name}`);
}
