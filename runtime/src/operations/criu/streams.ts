/**
 * Standard streams that lead out of the container. A dump notes what they are, by the names that CRIU has for them; a restore gives new ones for the
 * same names. `descriptors.json` in the image is runc's, for pipes; files are ours.
 */
import { readFile, readFileIfExists, readLink, replaceFile } from '../../linux/files.ts';
import { S_IFCHR, S_IFIFO, S_IFMT, S_IFREG } from '../../linux/open-flags.ts';
import { stat } from '../../linux/stat.ts';
import type { Sys } from '../../sys/sys.ts';
import { parseMountinfo } from '../drift/mountinfo.ts';

const DESCRIPTORS = 'descriptors.json';
const STREAMS = [0, 1, 2] as const;
const FILE_MODE = 0o600;

/** What the process has at 0, 1 and 2: `pipe:[INODE]`, `file[MOUNT:INODE]` for a file outside of its mounts, else a path. */
export function describeStreams(sys: Sys, pid: number): string[] {
  const mounts = new Set(parseMountinfo(readFile(sys, `/proc/${pid}/mountinfo`)).map(({ id }) => id));
  return STREAMS.map((fd) => describeStream(sys, pid, fd, mounts));
}

function describeStream(sys: Sys, pid: number, fd: number, mounts: ReadonlySet<number>): string {
  const path = `/proc/${pid}/fd/${fd}`;
  const status = stat(sys, path);
  if (status === undefined) return '';
  const link = readLink(sys, path);
  const isFile = [S_IFREG, S_IFIFO, S_IFCHR].includes(status.mode & S_IFMT) && link.startsWith('/');
  const mount = Number(/^mnt_id:\s*(\d+)/m.exec(readFileIfExists(sys, `/proc/${pid}/fdinfo/${fd}`) ?? '')?.[1] ?? -1);
  if (!isFile || mounts.has(mount) || isTerminal(link)) return link;
  return `file[${mount.toString(16)}:${status.inode.toString(16)}]`;
}

/** CRIU has ways of its own for terminals (`--shell-job`). */
function isTerminal(link: string): boolean {
  return /^\/dev\/(pts\/|tty|console$)/.test(link);
}

/** What CRIU is to be told at a dump. */
export function externalStreams(streams: readonly string[]): string[] {
  return [...new Set(streams.filter((name) => name.startsWith('file[')))];
}

/** Into the image directory. */
export function writeStreams(sys: Sys, imagesFd: number, streams: readonly string[]): void {
  replaceFile(sys, DESCRIPTORS, JSON.stringify(streams), { mode: FILE_MODE, at: imagesFd });
}

/** The names that a restore gives new streams for, with the number of each: 0 to 2. An image is not trusted to have them in any form. */
export function readStreams(sys: Sys, imagePath: string): { readonly key: string; readonly stream: 0 | 1 | 2 }[] {
  const names = parseNames(readFileIfExists(sys, `${imagePath}/${DESCRIPTORS}`) ?? '[]');
  const given = STREAMS.map((stream) => ({ key: names[stream], stream }));
  return given.filter((one): one is { key: string; stream: 0 | 1 | 2 } => typeof one.key === 'string' && isKey(one.key));
}

function isKey(name: string): boolean {
  return /^(pipe:\[\d+\]|file\[[0-9a-f]+:[0-9a-f]+\])$/.test(name);
}

function parseNames(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
