/**
 * Where an engine and its daemons live during a test: namespaces of their own (mounts, network, cgroups) and a cgroup of their own, so that the
 * machine sees nothing of them, and all that they start can be killed at once. On a hybrid machine they see a unified hierarchy without controllers.
 */
import { type ChildProcess, type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../cli.ts';

const TIMEOUT_MS = 120_000;
const START_MS = 60_000;
const HIERARCHY = existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified';
const CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids'];

/** Process 1 of a test's world, but for its pid. $1: a file to make when all is ready; $2: a script of the test's own. */
const SETTLE = `
  mount --make-rprivate /
  umount -R -l /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount -t tmpfs run /run
  mkdir -p /run/lock /run/user
  ip link set lo up
  eval "$2"
  touch "$1"
  exec sleep infinity
`;

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A user of the machine as seen within an enclosure, with 65536 subordinate ids. */
export interface User {
  readonly name: string;
  readonly uid: number;
}

export class Enclosure {
  /** For everything that a test writes; everybody may enter it. */
  readonly directory = mkdtempSync(join(tmpdir(), 'engine-test-'));
  /** Directory of its cgroup as the machine sees it; inside it is the root. */
  readonly cgroup: string;
  readonly #holder: ChildProcess;

  /** @param settle more shell commands, run within the new mount namespace */
  constructor(settle = '') {
    chmodSync(this.directory, 0o755);
    this.cgroup = join(HIERARCHY, `engine-test-${process.pid}-${Date.now()}`);
    mkdirSync(join(this.cgroup, 'self'), { recursive: true });
    const ready = join(this.directory, 'ready');
    // The namespace's root is the cgroup that the process is in when it is made.
    const script = 'echo $$ >"$1/cgroup.procs" && exec unshare --mount --net --cgroup sh -c "$2" sh "$3" "$4"';
    this.#holder = spawn('sh', ['-c', script, 'sh', this.cgroup, `echo $$ >${this.#self()}; ${SETTLE}`, ready, settle], {
      stdio: 'inherit',
    });
    try {
      until(() => existsSync(ready), 'namespaces for an engine', START_MS);
    } catch (error) {
      this.dispose();
      throw error;
    }
    // Not before: a cgroup that passes controllers on cannot be entered.
    const offered = readFileSync(join(HIERARCHY, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
    for (const name of CONTROLLERS.filter((controller) => offered.includes(controller))) {
      writeFileSync(join(this.cgroup, 'cgroup.subtree_control'), `+${name}`);
    }
  }

  #self(): string {
    return join(this.cgroup, 'self/cgroup.procs');
  }

  /** The command line that runs another one inside. */
  inside(command: readonly string[]): readonly string[] {
    const enter = ['nsenter', '--target', `${this.#holder.pid}`, '--mount', '--net', '--cgroup', '--wdns=/', '--', ...command];
    return ['sh', '-c', 'echo $$ >"$0" && exec "$@"', this.#self(), ...enter];
  }

  /** Runs a command to its end, inside. */
  run(command: readonly string[], options: RunOptions = {}): Result {
    const [program = '', ...args] = this.inside(command);
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      encoding: 'utf8',
      input: options.input ?? '',
      env: { ...environment(), ...options.env },
      timeout: TIMEOUT_MS,
      maxBuffer: 1 << 26,
    });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  }

  /** Starts a command inside. It ends with the enclosure at the latest. */
  spawn(command: readonly string[], stdio: SpawnSyncOptions['stdio'], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const [program = '', ...args] = this.inside(command);
    return spawn(program, args, { stdio: stdio ?? 'ignore', env: { ...environment(), ...env } });
  }

  /** Kills all that was started inside and removes what it leaves: its mounts go with their namespace. */
  dispose(): void {
    writeFileSync(join(this.cgroup, 'cgroup.kill'), '1');
    this.#holder.kill('SIGKILL');
    until(() => !/populated 1/.test(readFileSync(join(this.cgroup, 'cgroup.events'), 'utf8')), 'the end of all processes', START_MS);
    removeCgroups(this.cgroup);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The distribution's programs, and nothing of the tester's own: engines read dozens of variables. */
function environment(): Record<string, string> {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' };
}

function removeCgroups(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroups(join(path, entry.name));
  rmdirSync(path);
}

/** Adds a user to the enclosure's view of the machine; for the constructor. */
export function settleUser({ name, uid }: User): string {
  const lines: Readonly<Record<string, string>> = {
    '/etc/passwd': `${name}:x:${uid}:${uid}::/run/user/${uid}:/bin/sh`,
    '/etc/group': `${name}:x:${uid}:`,
    '/etc/subuid': `${name}:${uid * 10}:65536\\ncontainers:1000000:1048576`,
    '/etc/subgid': `${name}:${uid * 10}:65536\\ncontainers:1000000:1048576`,
  };
  const files = Object.entries(lines).map(
    ([file, line]) => `{ cat ${file}; printf '${line}\\n'; } >/run/lock/file 2>/dev/null
      mv /run/lock/file /run/lock/$(basename ${file}) && mount --bind /run/lock/$(basename ${file}) ${file}`,
  );
  return `${files.join('\n')}\nmkdir -m 700 -p /run/user/${uid}; chown ${uid}:${uid} /run/user/${uid}`;
}
