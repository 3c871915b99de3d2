/**
 * Mounts and device nodes as the container has them. Its paths are resolved in its root (openat2(2), RESOLVE_IN_ROOT), and a mount is known by its id, not
 * by its path, which the container can arrange.
 */
import { tryCall } from '../../linux/call.ts';
import { close, open, readFile } from '../../linux/files.ts';
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
} from '../../linux/open-flags.ts';
import { type FileStatus, stat, statFd } from '../../linux/stat.ts';
import type { Plan } from '../../plan/plan.ts';
import type { DeviceStep } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Difference } from './difference.ts';
import { type ExpectedMount, expectedMounts, wrongAttributes } from './expected-mounts.ts';
import { type MountEntry, parseMountinfo } from './mountinfo.ts';

const OPEN_HOW_BYTES = 24;
const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_MOUNT_ROOT = 0x2000;

export function mountDrift(sys: Sys, pid: number, plan: Plan): Difference[] {
  const root = open(sys, `/proc/${pid}/root`, { flags: O_PATH });
  try {
    const entries = parseMountinfo(readFile(sys, `/proc/${pid}/mountinfo`));
    const steps = [...plan.prepare, ...plan.enter];
    const known = new Set<number>();
    const found = expectedMounts(steps).flatMap((mount) => oneDrift(sys, root, entries, mount, known));
    const devices = steps.filter((step): step is DeviceStep => step.kind === 'device' && !step.bind);
    return [...found, ...strangers(entries, known, steps.length), ...devices.flatMap((step) => deviceDrift(sys, root, step))];
  } finally {
    close(sys, root);
  }
}

/** A descriptor, or a negated errno. */
export function openInRoot(sys: Sys, root: number, path: string, flags: number): number {
  const how = new ArrayBuffer(OPEN_HOW_BYTES);
  const view = new DataView(how);
  view.setBigUint64(0, BigInt(flags | O_CLOEXEC), true);
  view.setBigUint64(16, BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), true);
  return tryCall(sys, 'openat2', root, path, how, OPEN_HOW_BYTES);
}

function oneDrift(sys: Sys, root: number, entries: readonly MountEntry[], mount: ExpectedMount, known: Set<number>): Difference[] {
  const { destination, configPath, optional } = mount;
  const what = { aspect: 'mount', configPath, object: destination } as const;
  const fd = openInRoot(sys, root, destination, O_PATH);
  if (fd < 0) return optional ? [] : [{ ...what, expected: describe(mount), actual: 'no such file or directory' }];
  try {
    if (!isMountRoot(sys, fd)) return [{ ...what, expected: describe(mount), actual: 'nothing is mounted there' }];
    const entry = entries.find(({ id }) => id === mountId(sys, fd));
    if (entry === undefined) return [];
    known.add(entry.id);
    if (mount.tree) for (const inner of entries) if (inner.mountPoint.startsWith(`${entry.mountPoint}/`)) known.add(inner.id);
    return [...contentDrift(sys, fd, entry, mount), ...attributeDrift(entry, mount)];
  } finally {
    close(sys, fd);
  }
}

function describe({ type, source }: ExpectedMount): string {
  if (type !== undefined) return type;
  return source === undefined ? 'a mount' : `a bind mount of ${source}`;
}

export function isMountRoot(sys: Sys, fd: number): boolean {
  const buffer = new ArrayBuffer(STATX_BYTES);
  const result = tryCall(sys, 'statx', fd, '', AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, buffer);
  return result === 0 && (new DataView(buffer).getUint32(8, true) & STATX_ATTR_MOUNT_ROOT) !== 0;
}

/** The id of the mount that an open file is on, as mountinfo has it. */
export function mountId(sys: Sys, fd: number): number {
  return Number(/^mnt_id:\s*(\d+)/m.exec(readFile(sys, `/proc/self/fdinfo/${fd}`))?.[1] ?? -1);
}

function contentDrift(sys: Sys, fd: number, entry: MountEntry, { type, source, destination, configPath }: ExpectedMount): Difference[] {
  const what = { aspect: 'mount', configPath, object: destination } as const;
  if (type !== undefined && entry.type !== type) return [{ ...what, expected: type, actual: entry.type }];
  if (source === undefined) return [];
  const there = stat(sys, source);
  if (there === undefined) return [{ ...what, expected: `a bind mount of ${source}`, actual: 'the source is gone from the host' }];
  const here = statFd(sys, fd, destination);
  if (sameFile(here, there)) return [];
  return [
    {
      ...what,
      expected: `a bind mount of ${source}`,
      actual: `another file: the source was replaced, or something else is mounted (${entry.type})`,
    },
  ];
}

function sameFile(one: FileStatus, other: FileStatus): boolean {
  return one.inode === other.inode && one.deviceMajor === other.deviceMajor && one.deviceMinor === other.deviceMinor;
}

function attributeDrift(entry: MountEntry, mount: ExpectedMount): Difference[] {
  const { expected, actual } = wrongAttributes(mount, entry.options);
  if (expected.length === 0) return [];
  return [
    { aspect: 'mount', configPath: mount.configPath, object: mount.destination, expected: expected.join(','), actual: actual.join(',') },
  ];
}

/** Mounts that the configuration does not know. */
function strangers(entries: readonly MountEntry[], known: ReadonlySet<number>, steps: number): Difference[] {
  if (steps === 0) return [];
  return entries
    .filter(({ id }) => !known.has(id))
    .map(({ mountPoint, type, source }) => ({
      aspect: 'mount',
      configPath: undefined,
      object: mountPoint,
      expected: 'no mount',
      actual: `${type} (${source})`,
    }));
}

const TYPES: Readonly<Record<DeviceStep['type'], number>> = { c: S_IFCHR, b: S_IFBLK, p: S_IFIFO };
const PERMISSIONS = 0o7777;

function deviceDrift(sys: Sys, root: number, step: DeviceStep): Difference[] {
  const what = { aspect: 'device', configPath: step.configPath, object: step.path } as const;
  const expected = deviceText(step);
  const fd = openInRoot(sys, root, step.path, O_PATH | O_NOFOLLOW(sys.arch));
  if (fd < 0) return [{ ...what, expected, actual: 'no such file or directory' }];
  try {
    const { mode, nodeMajor, nodeMinor, uid, gid } = statFd(sys, fd, step.path);
    const type = (Object.keys(TYPES) as DeviceStep['type'][]).find((name) => TYPES[name] === (mode & S_IFMT));
    if (type === undefined) return [{ ...what, expected, actual: 'no device' }];
    const actual = deviceText({ type, major: nodeMajor, minor: nodeMinor, mode: mode & PERMISSIONS, uid, gid });
    return actual === expected ? [] : [{ ...what, expected, actual }];
  } finally {
    close(sys, fd);
  }
}

type DeviceFacts = Pick<DeviceStep, 'type' | 'major' | 'minor' | 'mode' | 'uid' | 'gid'>;

function deviceText({ type, major, minor, mode, uid, gid }: DeviceFacts): string {
  return `${type} ${major}:${minor} mode ${mode.toString(8).padStart(4, '0')} owner ${uid}:${gid}`;
}
