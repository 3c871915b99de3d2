/** Places for mounts in a root that was never a container's: CRIU mounts, but makes no places. Each is resolved in the root, and from there by descriptor. */
import { call, tryCall } from '../../linux/call.ts';
import { EEXIST, ENOENT, syscallError } from '../../linux/errno.ts';
import { close, open } from '../../linux/files.ts';
import {
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_WRONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFDIR,
  S_IFMT,
} from '../../linux/open-flags.ts';
import { openHow, tryOpenat2 } from '../../linux/openat2.ts';
import { stat } from '../../linux/stat.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Step } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';

const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;

/** Makes the places that are missing. What lies below another mount comes with that mount. */
export function makeMountPoints(sys: Sys, rootPath: string, plan: Plan): void {
  const root = open(sys, rootPath, { flags: O_PATH | O_DIRECTORY(sys.arch) });
  try {
    const done: string[] = [];
    for (const step of plan.prepare) {
      if (step.kind !== 'mount' && step.kind !== 'bind') continue;
      if (!done.some((above) => step.destination.startsWith(`${above}/`))) makePlace(sys, root, step.destination, isDirectory(sys, step));
      done.push(step.destination);
    }
  } finally {
    close(sys, root);
  }
}

function isDirectory(sys: Sys, step: Step): boolean {
  if (step.kind !== 'bind') return true;
  const source = stat(sys, step.source);
  return source === undefined || (source.mode & S_IFMT) === S_IFDIR;
}

function makePlace(sys: Sys, root: number, path: string, directory: boolean): void {
  const parts = path.split('/').filter((part) => part !== '');
  for (let length = 1; length <= parts.length; length++) {
    const place = parts.slice(0, length).join('/');
    const found = openBelow(sys, root, place);
    if (found >= 0) close(sys, found);
    else
      makeOne(
        sys,
        root,
        { parent: parts.slice(0, length - 1).join('/') || '.', name: parts[length - 1] ?? '', place },
        directory || length < parts.length,
      );
  }
}

function openBelow(sys: Sys, root: number, path: string): number {
  const result = tryOpenat2(sys, root, path, openHow(O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS));
  if (result < 0 && result !== -ENOENT) throw syscallError({ syscall: 'openat2', errno: -result, object: path });
  return result;
}

interface Missing {
  readonly parent: string;
  readonly name: string;
  readonly place: string;
}

function makeOne(sys: Sys, root: number, { parent, name, place }: Missing, directory: boolean): void {
  const above = openBelow(sys, root, parent);
  if (above < 0) throw syscallError({ syscall: 'openat2', errno: -above, object: parent });
  try {
    if (directory) {
      const result = tryCall(sys, 'mkdirat', above, name, DIRECTORY_MODE);
      if (result < 0 && result !== -EEXIST) throw syscallError({ syscall: 'mkdirat', errno: -result, object: place });
      return;
    }
    const flags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW(sys.arch);
    close(sys, call(sys, 'openat', place, above, name, flags, FILE_MODE));
  } finally {
    close(sys, above);
  }
}
