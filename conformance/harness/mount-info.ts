import { readFileSync } from 'node:fs';

/** A line of /proc/PID/mountinfo: proc_pid_mountinfo(5). */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  readonly device: string;
  /** The part of the file system that is seen. */
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
  /** `shared:1`, `master:2`, `unbindable`. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

export function parseMountInfo(text: string): MountInfo[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+) (\d+) (\S+) (\S+) (\S+) (\S+) (.*?)- (\S+) (\S*) (\S+)$/.exec(line);
    if (match === null) return [];
    const [, id, parent, device = '', root = '', point = '', options = '', propagation = '', type = '', source = '', superOptions = ''] =
      match;
    return [
      {
        id: Number(id),
        parent: Number(parent),
        device,
        root: unescapeOctal(root),
        point: unescapeOctal(point),
        options: options.split(','),
        propagation: propagation.split(' ').filter((word) => word !== ''),
        type,
        source,
        superOptions: superOptions.split(','),
      },
    ];
  });
}

/** The mount that is seen at a place: the last one there. Throws where nothing is mounted. */
export function mountAt(mounts: readonly MountInfo[], point: string): MountInfo {
  const found = mounts.findLast((mount) => mount.point === point);
  if (found === undefined)
    throw new Error(`nothing is mounted at ${point}; mount points are ${mounts.map((mount) => mount.point).join(' ')}`);
  return found;
}

/** What is mounted on the host at or below a directory, the innermost first. */
export function hostMountsBelow(directory: string): string[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map((mount) => mount.point)
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .reverse();
}

function unescapeOctal(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
