/**
 * Copying a directory's contents by an agent: the agent lists and copies, here is decided. Sources are opened one name below an open directory,
 * never through a link and never into another mount; the target is a new file system that nobody else can reach.
 */
import { RuntimeError } from '../base/errors.ts';
import { JUMP_IF_ZERO } from '../init/agent/protocol.ts';
import type { Init } from '../init/init-process.ts';
import { type Argument, type Data, data, type Output, Program, type ResultOf, struct } from '../init/program.ts';
import { EINVAL, EPERM } from '../linux/errno.ts';
import {
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from '../linux/open-flags.ts';
import type { Architecture } from '../sys/sys.ts';
import { copyExtendedAttributes, LISTING_BYTES } from './copy-xattrs.ts';
import { deviceNumber } from './devices.ts';
import { decodeEntries, describeName, type Entry, type FileName, joinNames, S_DIRENT_LINK, S_DIRENT_UNKNOWN } from './directory-entries.ts';
import { type CopyStatus, decodeCopyStatus, timesOf } from './file-status.ts';
import { STATX_BASIC_STATS, STATX_BYTES } from './masks.ts';

/** Some 170 names at most, each of which may need two descriptors for a while. */
const ENTRIES_BYTES = 4096;
const LINK_BYTES = 4096;
/** sendfile(2) transfers less than 2 GiB at once. */
const PIECE_BYTES = 0x40000000;
const OPEN_HOW_BYTES = 24;
const PERMISSIONS = 0o7777;
const INSIDE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

/** Two directories that are open in the agent. */
interface Pair {
  readonly source: number;
  readonly target: number;
  /** The target's path below the root of its file system. */
  readonly path: FileName;
}

interface Found extends CopyStatus {
  readonly name: FileName;
  /** What a symbolic link holds, NUL-terminated. */
  readonly link: Uint8Array | undefined;
}

/** A file in the program that copies it. */
interface CopiedFile {
  readonly found: Found;
  readonly source: ResultOf;
  readonly target: ResultOf;
  readonly listing: Output;
  readonly listed: ResultOf;
  /** Bytes, in pieces. */
  readonly copied: readonly ResultOf[];
}

/** A file or directory whose extended attributes are still to be copied; both are open. */
interface Open {
  readonly source: number;
  readonly target: number;
  readonly listing: ArrayBuffer;
  readonly listed: number;
}

export class TreeCopy {
  readonly #init: Init;
  readonly #arch: Architecture;
  readonly #step: string;
  readonly #configPath: string | undefined;
  readonly #root: number;
  /** Where the first name of a file with several went. */
  readonly #linked = new Map<string, FileName>();

  /** @param root the target's root, open in the agent */
  constructor(init: Init, arch: Architecture, root: number, step: { readonly step: string; readonly configPath: string | undefined }) {
    this.#init = init;
    this.#arch = arch;
    this.#root = root;
    this.#step = step.step;
    this.#configPath = step.configPath;
  }

  /** Copies what is in the directory `source`, open for reading in the agent, into the root. */
  run(source: number): void {
    this.#copyDirectory({ source, target: this.#root, path: new Uint8Array(1) });
  }

  #program(): Program {
    return new Program(this.#configPath === undefined ? { step: this.#step } : { step: this.#step, configPath: this.#configPath });
  }

  #copyDirectory(pair: Pair): void {
    for (;;) {
      const program = this.#program();
      const buffer = program.output(ENTRIES_BYTES);
      const length = program.call('getdents64', [pair.source, buffer, ENTRIES_BYTES]);
      const results = this.#init.run(program);
      if (results.value(length) === 0) return;
      const found = this.#look(pair, decodeEntries(results.output(buffer), results.value(length)));
      this.#copyEntries(pair, found);
      for (const status of found) if ((status.mode & S_IFMT) === S_IFDIR) this.#copySubdirectory(pair, status);
    }
  }

  #look(pair: Pair, entries: readonly Entry[]): Found[] {
    const program = this.#program();
    const outputs = entries.map(({ name, type }) => {
      const argument = nameArgument(name);
      const status = program.output(STATX_BYTES);
      program.call('statx', [pair.source, argument, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, status], { object: describeName(name) });
      if (type !== S_DIRENT_LINK && type !== S_DIRENT_UNKNOWN) return { name, status, link: undefined };
      const text = program.output(LINK_BYTES);
      // One byte is left for the NUL.
      const length = program.call('readlinkat', [pair.source, argument, text, LINK_BYTES - 1], {
        ignore: EINVAL,
        object: describeName(name),
      });
      return { name, status, link: { text, length } };
    });
    const results = this.#init.run(program);
    return outputs.map(({ name, status, link }) => {
      const length = link === undefined ? -1 : results.value(link.length);
      const text = link === undefined || length < 0 ? undefined : new Uint8Array(results.output(link.text)).slice(0, length + 1);
      return { name, link: text, ...decodeCopyStatus(results.output(status)) };
    });
  }

  #copyEntries(pair: Pair, found: readonly Found[]): void {
    const program = this.#program();
    const files: CopiedFile[] = [];
    for (const status of found) {
      const type = status.mode & S_IFMT;
      if (type === S_IFDIR) program.call('mkdirat', [pair.target, nameArgument(status.name), 0o700], { object: describeName(status.name) });
      else if (this.#copyLink(program, pair, status)) continue;
      else if (type === S_IFREG) files.push(this.#copyFile(program, pair, status));
      else this.#copyNode(program, pair, status);
    }
    const results = this.#init.run(program);
    for (const { source, target, listing, listed, copied, found } of files) {
      const bytes = copied.reduce((sum, piece) => sum + results.value(piece), 0);
      if (!found.mountPoint && bytes !== found.sizeBytes) this.#changed(found);
      if (results.value(listed) === 0) continue;
      this.#finish({
        source: results.value(source),
        target: results.value(target),
        listing: results.output(listing),
        listed: results.value(listed),
      });
    }
  }

  #changed(found: Found): never {
    const message = `${this.#step}: ${describeName(found.name)} changed while it was copied`;
    throw new RuntimeError('copy-up', message, this.#configPath === undefined ? {} : { configPath: this.#configPath });
  }

  /** Another name of a file that was copied already. */
  #copyLink(program: Program, pair: Pair, status: Found): boolean {
    if (status.links < 2) return false;
    const path = joinNames(pair.path, status.name);
    const first = this.#linked.get(status.identity);
    if (first === undefined) {
      this.#linked.set(status.identity, path);
      return false;
    }
    program.call('linkat', [this.#root, nameArgument(first), pair.target, nameArgument(status.name), 0], {
      object: describeName(status.name),
    });
    return true;
  }

  /** Leaves both ends open when there are extended attributes to copy: `listed` is then not 0. */
  #copyFile(program: Program, pair: Pair, status: Found): CopiedFile {
    const object = describeName(status.name);
    const nofollow = O_NOFOLLOW(this.#arch);
    // Something else may have taken the file's place: a FIFO is not waited for, and of a device no more is read than the file had.
    const source = this.#open(program, pair, status, O_RDONLY | O_NONBLOCK | O_NOCTTY | nofollow);
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | nofollow;
    const target = program.call('openat', [pair.target, nameArgument(status.name), flags, 0o600], { object });
    const copied: ResultOf[] = [];
    // A mount on the file would be copied in its place: the file itself cannot be reached.
    for (let left = status.mountPoint ? 0 : status.sizeBytes; left > 0; left -= PIECE_BYTES) {
      copied.push(program.call('sendfile', [target, source, null, Math.min(left, PIECE_BYTES)], { object }));
    }
    setOwner(program, target, status, object);
    setMode(program, target, status, object);
    program.call('utimensat', [target, null, timesOf(status), 0], { object });
    const listing = program.output(LISTING_BYTES);
    const listed = program.call('flistxattr', [source, listing, LISTING_BYTES], { ignore: 'all' });
    const done = program.place();
    const close = program.place();
    program.jumpTo(close, JUMP_IF_ZERO);
    program.jump(done);
    program.here(close);
    program.call('close', [source], { ignore: 'all' });
    program.call('close', [target]);
    program.here(done);
    return { source, target, listing, listed, copied, found: status };
  }

  #open(program: Program, pair: Pair, status: Found, flags: number): ResultOf {
    const how = struct([
      [8, flags | O_CLOEXEC],
      [8, 0],
      [8, INSIDE],
    ]);
    const options = { object: describeName(status.name), ...(status.mountPoint ? { ignore: 'all' as const } : {}) };
    return program.call('openat2', [pair.source, nameArgument(status.name), how, OPEN_HOW_BYTES], options);
  }

  #copyNode(program: Program, pair: Pair, status: Found): void {
    const object = describeName(status.name);
    const name = nameArgument(status.name);
    if (status.link !== undefined) program.call('symlinkat', [nameArgument(status.link), pair.target, name], { object });
    else {
      const number = deviceNumber(status.nodeMajor, status.nodeMinor);
      // In a user namespace there are no device nodes; then it is left out.
      program.call('mknodat', [pair.target, name, status.mode, number], { ignore: EPERM, object });
      program.call('fchmodat', [pair.target, name, status.mode & PERMISSIONS], { ignore: 'all', object });
    }
    const flags = AT_SYMLINK_NOFOLLOW;
    program.call('fchownat', [pair.target, name, status.uid, status.gid, flags], { ignore: 'all', object });
    program.call('utimensat', [pair.target, name, timesOf(status), flags], { ignore: 'all', object });
  }

  #copySubdirectory(pair: Pair, status: Found): void {
    const program = this.#program();
    const directory = O_RDONLY | O_DIRECTORY(this.#arch) | O_NOFOLLOW(this.#arch);
    const source = this.#open(program, pair, status, directory);
    const target = program.call('openat', [pair.target, nameArgument(status.name), directory | O_CLOEXEC, 0], {
      object: describeName(status.name),
    });
    const listing = program.output(LISTING_BYTES);
    const listed = program.call('flistxattr', [source, listing, LISTING_BYTES], { ignore: 'all' });
    const results = this.#init.run(program);
    const open: Open = {
      source: results.value(source),
      target: results.value(target),
      listing: results.output(listing),
      listed: results.value(listed),
    };
    // Another file system is mounted there: what is below it cannot be reached, and it is not what was to be copied.
    if (!status.mountPoint) this.#copyDirectory({ source: open.source, target: open.target, path: joinNames(pair.path, status.name) });
    this.#finish(open, status);
  }

  /** Extended attributes; for a directory also what its contents have changed. Closes both ends. */
  #finish(open: Open, directory?: CopyStatus): void {
    copyExtendedAttributes(this.#init, () => this.#program(), open);
    const program = this.#program();
    if (directory !== undefined) {
      setOwner(program, open.target, directory, 'a directory');
      setMode(program, open.target, directory, 'a directory');
      program.call('utimensat', [open.target, null, timesOf(directory), 0], { object: 'a directory' });
    }
    program.call('close', [open.source], { ignore: 'all' });
    program.call('close', [open.target]);
    this.#init.run(program);
  }
}

/** Before `setMode`: changing the owner takes set-user-ID away. An owner that has no id here stays nobody. */
export function setOwner(program: Program, target: Argument, status: CopyStatus, object: string): void {
  program.call('fchown', [target, status.uid, status.gid], { ignore: EINVAL, object });
}

export function setMode(program: Program, target: Argument, status: CopyStatus, object: string): void {
  program.call('fchmod', [target, status.mode & PERMISSIONS], { object });
}

function nameArgument(name: FileName): Data {
  return data(name, JSON.stringify(describeName(name)));
}
