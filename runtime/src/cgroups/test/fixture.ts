/** A place in the real hierarchy for tests of cgroups: everything below it is killed and removed afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sys } from '../../sys/sys.ts';
import { type Cgroup, type CreateOptions, createCgroup } from '../create.ts';
import { availableControllers, findHierarchy, type Hierarchy } from '../hierarchy.ts';
import { joinCgroup, killAll } from '../processes.ts';
import { removeCgroup } from '../remove.ts';

// A guest kernel is slow: five to ten times, and more on a busy machine.
jest.setTimeout(120_000);

export class CgroupFixture {
  readonly hierarchy: Hierarchy;
  /** Relative path of the directory that belongs to this fixture. */
  readonly base: string;
  readonly #sys: Sys;
  readonly #children: ChildProcess[] = [];

  constructor(sys: Sys, name: string) {
    const hierarchy = findHierarchy(sys);
    if (hierarchy === undefined) throw new Error('needs a cgroup v2 hierarchy, unified or hybrid');
    this.hierarchy = hierarchy;
    this.base = `tsrun-test-${name}-${process.pid}`;
    this.#sys = sys;
  }

  /** Throws where the hierarchy lacks controllers, as on a hybrid host: such tests run in a guest kernel. */
  requireControllers(...controllers: readonly string[]): void {
    const available = availableControllers(this.#sys, this.hierarchy.mountPoint);
    const missing = controllers.filter((name) => !available.includes(name));
    if (missing.length > 0) throw new Error(`needs cgroup v2 with ${missing.join(', ')}: to be run in the guest kernel`);
  }

  directory(path: string): string {
    return `${this.hierarchy.mountPoint}/${this.base}/${path}`;
  }

  create(path: string, options: CreateOptions = {}): Cgroup {
    const cgroup = createCgroup(this.#sys, this.hierarchy, `${this.base}/${path}`, options);
    if (cgroup === undefined) throw new Error('no cgroup although it is not optional');
    return cgroup;
  }

  read(cgroup: Cgroup, file: string): string {
    return readFileSync(`${cgroup.directory}/${file}`, 'utf8').trim();
  }

  /** A process in a cgroup; `sleep` by default. */
  start(
    cgroup: Cgroup,
    command = 'sleep',
    args: readonly string[] = ['1000'],
  ): { readonly pid: number; readonly ended: Promise<string | number> } {
    const child = spawn('sh', ['-c', 'read line && exec "$0" "$@"', command, ...args], { stdio: ['pipe', 'ignore', 'inherit'] });
    this.#children.push(child);
    const ended = new Promise<string | number>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code ?? -1)));
    if (child.pid === undefined) throw new Error('cannot start a process');
    joinCgroup(this.#sys, cgroup.fd, child.pid);
    child.stdin?.end('go\n');
    return { pid: child.pid, ended };
  }

  async dispose(): Promise<void> {
    const directory = `${this.hierarchy.mountPoint}/${this.base}`;
    if (existsSync(directory)) {
      killAll(this.#sys, directory, 9);
      for (const child of this.#children) child.kill('SIGKILL');
      // The children are Node's to reap, so Node must get its turn.
      await sleep(50);
      removeCgroup(this.#sys, directory);
    }
  }
}

/** Waits, with turns for Node's own reaping, until something is so. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error('it did not become so within 5 s');
}
