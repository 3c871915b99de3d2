/**
 * Names of cgroups. A cgroup's path is written without a leading slash, relative to the hierarchy's mount point, without `.`, `..` and
 * empty parts: joined to the mount point it stays below it.
 */
import { RuntimeError } from '../base/errors.ts';

export interface CgroupPathRequest {
  /** `linux.cgroupsPath`; an absent and an empty one ask for the default. */
  readonly cgroupsPath?: string | undefined;
  readonly id: string;
  /** The caller's own cgroup, as /proc/self/cgroup has it: `/user.slice/user-0.slice/session-1.scope`. */
  readonly ownCgroup: string;
}

/**
 * The path of a container's cgroup for the cgroupfs driver.
 *
 * An absolute `cgroupsPath` starts from the hierarchy's root (config-linux.md, "Cgroups Path"). A relative one, and the default, which is the
 * container's id, start from the *parent* of the caller's cgroup, as runc has it: the caller's own cgroup holds the caller, and a cgroup with
 * processes cannot pass controllers on to children. `..` never leads above the starting point's root. A path with colons is an ordinary path here.
 *
 * @throws RuntimeError `cgroup-path` for a path that names the root itself or holds a NUL
 */
export function cgroupfsPath(request: CgroupPathRequest): string {
  const wanted = request.cgroupsPath ?? '';
  const cleaned = cleanPath(wanted === '' ? request.id : wanted);
  if (cleaned === '' || cleaned.includes('\0')) {
    throw new RuntimeError('cgroup-path', `cgroupsPath ${JSON.stringify(wanted)} does not name a cgroup below the root`, {
      configPath: 'linux.cgroupsPath',
      hint: 'give the container a cgroup of its own, such as /containers/NAME',
    });
  }
  if (wanted.startsWith('/')) return cleaned;
  const own = cleanPath(request.ownCgroup);
  const parent = own.includes('/') ? own.slice(0, own.lastIndexOf('/')) : '';
  return parent === '' ? cleaned : `${parent}/${cleaned}`;
}

/** Resolves `.`, `..` and repeated slashes by the text alone; `..` at the top stays at the top. No leading or trailing slash. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

export interface SystemdUnit {
  /** `system.slice`; the unit's own slice for a unit that is a slice itself. */
  readonly slice: string;
  /** `docker-1234.scope`, or `NAME.slice`. */
  readonly unit: string;
}

const DEFAULT_PREFIX = 'tsrun';

/**
 * The unit that `slice:prefix:name` names for the systemd driver; the default is `:tsrun:ID`. An empty slice is system.slice, for a user's
 * own systemd user.slice. A name that ends in `.slice` is the unit as it is.
 *
 * @throws RuntimeError `cgroup-path` for another form
 */
export function systemdUnit(cgroupsPath: string | undefined, id: string, options: { readonly user: boolean }): SystemdUnit {
  const text = cgroupsPath === undefined || cgroupsPath === '' ? `:${DEFAULT_PREFIX}:${id}` : cgroupsPath;
  const [slice, prefix, name, more] = text.split(':');
  if (slice === undefined || prefix === undefined || name === undefined || name === '' || more !== undefined) {
    throw new RuntimeError(
      'cgroup-path',
      `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "${text}" instead`,
      {
        configPath: 'linux.cgroupsPath',
        hint: 'use slice:prefix:name, or the cgroupfs driver (without --systemd-cgroup) for a plain path',
      },
    );
  }
  const parent = slice === '' ? defaultSlice(options.user) : slice;
  if (name.endsWith('.slice')) return { slice: parent, unit: name };
  return { slice: parent, unit: prefix === '' ? `${name}.scope` : `${prefix}-${name}.scope` };
}

function defaultSlice(user: boolean): string {
  return user ? 'user.slice' : 'system.slice';
}

/**
 * The directory of a slice: `a-b.slice` is `a.slice/a-b.slice`, and `-.slice` is the root (systemd.slice(5)).
 *
 * @throws RuntimeError `cgroup-path` for what systemd would not take as the name of a slice
 */
export function expandSlice(slice: string): string {
  const name = slice.slice(0, -'.slice'.length);
  if (name === '-' && slice === '-.slice') return '';
  const parts = name.split('-');
  if (!slice.endsWith('.slice') || slice.includes('/') || parts.includes('')) {
    throw new RuntimeError('cgroup-path', `invalid slice name: "${slice}"`, { configPath: 'linux.cgroupsPath' });
  }
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`).join('/');
}
