/** The lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)). Pure. */
export interface MountEntry {
  readonly id: number;
  /** In the process's root. */
  readonly mountPoint: string;
  /** Of the mount: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
}

export function parseMountinfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [id, , , , mountPoint = '', options = ''] = before.split(' ');
      const [type = '', source = ''] = after.split(' ');
      return { id: Number(id), mountPoint: unescaped(mountPoint), options: options.split(','), type, source: unescaped(source) };
    });
}

/** Blanks and backslashes are written in octal. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
