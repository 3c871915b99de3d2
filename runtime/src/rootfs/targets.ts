/**
 * Targets behind links that lead to nothing. An image may have `/etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf` without that
 * directory: what is mounted there goes to the place the link names, made for it, as with runc. mkdirat(2) does not go through such a link, so
 * its place is found beforehand. Nothing is trusted for it: the init process resolves the new path as carefully as any other.
 */
import { tryCall } from '../linux/call.ts';
import { ENOENT } from '../linux/errno.ts';
import { close, readLink, tryOpen } from '../linux/files.ts';
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../linux/open-flags.ts';
import { openHow, tryOpenat2 } from '../linux/openat2.ts';
import type { RootStep, Step } from '../plan/steps.ts';
import type { Sys } from '../sys/sys.ts';
import { PLAIN_DIRECTORIES } from './mounts.ts';

const PATH_MAX = 4096;
/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * The same step, with the root's path free of links: the mounts above it are found by its parts. (A path in a namespace that is joined need not
 * exist here.)
 */
export function resolveRoot(sys: Sys, step: RootStep): RootStep {
  if (!step.detach) return step;
  const root = tryOpen(sys, step.path, { flags: O_PATH | O_DIRECTORY(sys.arch) });
  if (root < 0) return step;
  const path = readLink(sys, `/proc/self/fd/${root}`);
  close(sys, root);
  return path.startsWith('/') ? { ...step, path } : step;
}

/** The same steps, with targets that need not be found through links to nothing. */
export function resolveTargets(sys: Sys, rootPath: string, steps: readonly Step[]): readonly Step[] {
  const root = tryOpen(sys, rootPath, { flags: O_PATH | O_DIRECTORY(sys.arch) });
  // Making the root will say what is wrong with it.
  if (root < 0) return steps;
  try {
    return steps.map((step) => resolveStep(sys, root, step));
  } finally {
    close(sys, root);
  }
}

function resolveStep(sys: Sys, root: number, step: Step): Step {
  switch (step.kind) {
    case 'mount':
    case 'bind': {
      // Links are not followed there at all (CVE-2023-27561).
      if (step.kind === 'mount' && PLAIN_DIRECTORIES.includes(step.type)) return step;
      const destination = resolveTarget(sys, root, step.destination);
      return destination === step.destination ? step : { ...step, destination };
    }
    case 'device': {
      // The node's own name is not followed: a link there is not the device that is asked for.
      const slash = step.path.lastIndexOf('/');
      const named = step.path.slice(0, slash) || '/';
      const directory = resolveTarget(sys, root, named);
      return directory === named
        ? step
        : { ...step, path: `${directory === '/' ? '' : directory}${step.path.slice(slash)}`, hostPath: step.path };
    }
    case 'directory': {
      const path = resolveTarget(sys, root, step.path);
      return path === step.path ? step : { ...step, path };
    }
    default:
      return step;
  }
}

function resolveTarget(sys: Sys, root: number, path: string): string {
  const found = openBelow(sys, root, path, 0);
  if (found >= 0) close(sys, found);
  if (found !== -ENOENT) return path;
  const place = followLinks(sys, root, path);
  // Into these nothing leads but their own names: what is mounted there later is the runtime's (CVE-2023-28642).
  return place === undefined || /^\/(proc|sys)(\/|$)/.test(place) ? path : place;
}

/** Where a path leads that is not there, or not there as a whole; undefined when it goes in circles. */
function followLinks(sys: Sys, root: number, path: string): string | undefined {
  const done: string[] = [];
  const rest = path.split('/');
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const link = linkAt(sys, root, `/${[...done, part].join('/')}`);
    if (link === undefined) {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return undefined;
    if (link.startsWith('/')) done.length = 0;
    rest.unshift(...link.split('/'));
  }
  return `/${done.join('/')}`;
}

/** The text of a symbolic link, or undefined for what is none. */
function linkAt(sys: Sys, root: number, path: string): string | undefined {
  const fd = openBelow(sys, root, path, O_NOFOLLOW(sys.arch));
  if (fd < 0) return undefined;
  try {
    const buffer = new ArrayBuffer(PATH_MAX);
    const length = tryCall(sys, 'readlinkat', fd, '', buffer, PATH_MAX);
    return length < 0 ? undefined : sys.decode(buffer, 0, length);
  } finally {
    close(sys, fd);
  }
}

function openBelow(sys: Sys, root: number, path: string, flags: number): number {
  return tryOpenat2(sys, root, path.slice(1) || '.', openHow(O_PATH | flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS));
}
