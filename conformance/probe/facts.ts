import { type MountInfo, parseMountInfo } from '../harness/mount-info.ts';

const FACTS = [
  'status',
  'limits',
  'mountinfo',
  'cgroup',
  'uid_map',
  'gid_map',
  'oom_score_adj',
  'stat',
  'timens_offsets',
  'personality',
  'environ',
  'cmdline',
  'namespaces',
  'cwd',
  'exe',
  'fds',
  'hostname',
  'domainname',
  'uptime',
] as const;
export type Fact = (typeof FACTS)[number];

/** What the probe printed. Asking for a fact that it was not told to look for is a mistake of the test, and throws. */
export class Facts {
  readonly #texts: Readonly<Record<string, unknown>>;

  constructor(json: string) {
    this.#texts = JSON.parse(json);
  }

  text(fact: Fact): string {
    const value = this.#texts[fact];
    if (typeof value !== 'string') throw new Error(`the probe was not asked for ${fact}`);
    return value.trimEnd();
  }

  lines(fact: Fact): string[] {
    const text = this.text(fact);
    return text === '' ? [] : text.split('\n');
  }

  /** A line of /proc/PID/status. */
  status(name: string): string {
    return new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(this.text('status'))?.[1]?.trim() ?? '';
  }

  mounts(): MountInfo[] {
    return parseMountInfo(this.text('mountinfo'));
  }

  /** The link of a namespace, such as `uts:[4026531838]`. */
  namespace(name: string): string {
    return new RegExp(`^${name} (.*)$`, 'm').exec(this.text('namespaces'))?.[1] ?? '';
  }

  /** A row of /proc/PID/limits. */
  limit(name: string): { readonly soft: string; readonly hard: string } {
    const [, soft = '', hard = ''] = new RegExp(`^${name}\\s{2,}(\\S+)\\s+(\\S+)`, 'm').exec(this.text('limits')) ?? [];
    return { soft, hard };
  }

  /** A field of /proc/PID/stat by its number in proc_pid_stat(5). */
  stat(field: number): string {
    const afterName = this.text('stat').replace(/^.*\) /, '');
    return afterName.split(' ')[field - 3] ?? '';
  }
}
