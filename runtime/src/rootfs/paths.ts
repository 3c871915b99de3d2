/**
 * Paths inside the container's root. Each is resolved once, by openat2(2) with RESOLVE_IN_ROOT, and from there on only its descriptor is used:
 * what the container (or another one that shares a volume) does to the path in the meantime has no effect (CVE-2021-30465, CVE-2019-18837,
 * CVE-2024-45310).
 */

import { JUMP_IF_OK, RETRY } from '../init/agent/protocol.ts';
import type { AgentFds } from '../init/agent-fds.ts';
import { type Argument, type Data, type Place, type Program, type ResultOf, struct } from '../init/program.ts';
import { EEXIST, ENOENT } from '../linux/errno.ts';
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
  RESOLVE_NO_SYMLINKS,
} from '../linux/open-flags.ts';
import type { Architecture } from '../sys/sys.ts';

/** What compiling a step needs to know. */
export interface Target {
  readonly program: Program;
  readonly arch: Architecture;
  readonly fds: AgentFds;
  /** What the program has opened already, for steps that share it. */
  readonly opened: { proc: boolean };
  /** Directories that the program has made or found since the last mount, which may have hidden them. */
  readonly made?: Set<string>;
}

const OPEN_HOW_BYTES = 24;

/** openat2(2) below a directory. `flags` without O_CLOEXEC, which is always set. */
export function openBelow(
  target: Target,
  directory: Argument,
  path: string,
  how: { flags: number; resolve: number; ignore?: number },
): ResultOf {
  // Below a root, `..` cannot be followed while somebody renames or mounts anything anywhere: the kernel wants to be asked again (EAGAIN).
  const options = how.ignore === undefined ? { object: path, flags: RETRY } : { object: path, flags: RETRY, ignore: how.ignore };
  return target.program.call('openat2', [directory, path, openHow(how.flags | O_CLOEXEC, how.resolve), OPEN_HOW_BYTES], options);
}

/** Of `struct open_how` there are a few different ones, each used dozens of times in a program. */
const openHows = new Map<number, Data>();

function openHow(flags: number, resolve: number): Data {
  const key = flags * 256 + resolve;
  const known = openHows.get(key);
  if (known !== undefined) return known;
  const how = struct(
    [
      [8, flags],
      [8, 0],
      [8, resolve],
    ],
    `{flags=0${flags.toString(8)}, resolve=0x${resolve.toString(16)}}`,
  );
  openHows.set(key, how);
  return how;
}

/** The path as openat2 takes it below the root: never empty. */
export function belowRoot(path: string): string {
  let start = 0;
  while (path[start] === '/') start += 1;
  return start === path.length ? '.' : path.slice(start);
}

const IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

/** An O_PATH descriptor of a path in the root. `flags` adds O_DIRECTORY or O_NOFOLLOW. */
export function openInRoot(target: Target, path: string, flags = 0, ignore?: number): ResultOf {
  const how = { flags: O_PATH | flags, resolve: IN_ROOT, ...(ignore === undefined ? {} : { ignore }) };
  return openBelow(target, target.fds.root, belowRoot(path), how);
}

/**
 * An O_PATH descriptor of a path in the root; goes on at `missing` where there is none. Any other failure stops the program: what the step was to
 * protect would stay open.
 */
export function openIfThere(target: Target, path: string, missing: Place): ResultOf {
  const { program } = target;
  const there = program.place();
  const opened = openInRoot(target, path, 0, ENOENT);
  program.jumpTo(there, JUMP_IF_OK);
  program.jump(missing);
  program.here(there);
  return opened;
}

/** [directory, last part] of a clean absolute path. */
export function splitPath(path: string): readonly [string, string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash) || '/', path.slice(slash + 1)];
}

/**
 * Makes the missing directories of a path. Every part is made relative to its parent's descriptor, so that a symbolic link put there in the
 * meantime can lead nowhere outside the root; mkdirat(2) itself does not follow one.
 */
export function makeDirectories(target: Target, path: string): void {
  const { program, arch } = target;
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0 || target.made?.has(path) === true) return;
  const there = program.place();
  openInRoot(target, path, O_DIRECTORY(arch), ENOENT);
  program.jumpTo(there, JUMP_IF_OK);
  let prefix = '/';
  for (const part of parts) {
    const parent = openInRoot(target, prefix, O_DIRECTORY(arch));
    program.call('mkdirat', [parent, part, 0o755], { ignore: EEXIST, object: `${prefix === '/' ? '' : prefix}/${part}` });
    prefix = prefix === '/' ? `/${part}` : `${prefix}/${part}`;
  }
  program.here(there);
  target.made?.add(path);
}

/** Makes an empty file where nothing is, with its directories: a target to mount a file on. */
export function makeFile(target: Target, path: string): void {
  const { program, arch } = target;
  const there = program.place();
  openInRoot(target, path, 0, ENOENT);
  program.jumpTo(there, JUMP_IF_OK);
  const [directory, name] = splitPath(path);
  makeDirectories(target, directory);
  const parent = openInRoot(target, directory, O_DIRECTORY(arch));
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW(arch) | O_CLOEXEC;
  program.call('openat', [parent, name, flags, 0o755], { ignore: EEXIST, object: path });
  program.here(there);
}

/** An O_PATH descriptor of a directory of the root, made if missing. With `plain`, no part may be a symbolic link. */
export function openDirectory(target: Target, path: string, plain = false): ResultOf {
  makeDirectories(target, path);
  const resolve = plain ? IN_ROOT | RESOLVE_NO_SYMLINKS : IN_ROOT;
  return openBelow(target, target.fds.root, belowRoot(path), { flags: O_PATH | O_DIRECTORY(target.arch), resolve });
}
