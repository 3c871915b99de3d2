/** /proc/self/mountinfo (proc_pid_mountinfo(5)), as a container printed it. */
export interface MountInfo {
  readonly device: string;
  /** The part of the file system that is seen. */
  readonly root: string;
  readonly point: string;
  readonly options: string;
  /** `shared:1`, `master:2`, `unbindable`. */
  readonly propagation: string;
  readonly type: string;
  readonly source: string;
  readonly superOptions: string;
}

export function parseMountInfo(lines: readonly string[]): MountInfo[] {
  return lines.flatMap((line) => {
    const match = /^\d+ \d+ (\S+) (\S+) (\S+) (\S+) (.*?)- (\S+) (\S*) (\S+)$/.exec(line);
    if (match === null) return [];
    const [, device = '', root = '', point = '', options = '', propagation = '', type = '', source = '', superOptions = ''] = match;
    return [{ device, root, point, options, propagation: propagation.trim(), type, source, superOptions }];
  });
}

/** The mount that is seen at a place: the last one there. */
export function mountAt(lines: readonly string[], point: string): MountInfo {
  const found = parseMountInfo(lines).findLast((mount) => mount.point === point);
  if (found === undefined) throw new Error(`nothing is mounted at ${point}:\n${lines.join('\n')}`);
  return found;
}
