/** Containers of a busybox root, made by the operations themselves, in a directory that belongs to one test. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../specs/runtime/config.ts';
import type { Process } from '../../specs/runtime/process.ts';
import { close } from '../src/linux/files.ts';
import { waitForExit } from '../src/linux/processes.ts';
import { type Context, lazyAgentImage } from '../src/operations/context/context.ts';
import { create } from '../src/operations/create.ts';
import { deleteContainer } from '../src/operations/delete.ts';
import { start } from '../src/operations/start.ts';
import { defaultConfig } from '../src/spec/default-config.ts';
import { Store } from '../src/state/store.ts';
import { createNodeSys } from '../src/sys/node.ts';

const BUSYBOX = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path)) ?? '';
export const busybox = { what: 'a static busybox', met: BUSYBOX !== '' && !isDynamic(BUSYBOX) };

const APPLETS = [
  'sh',
  'cat',
  'sleep',
  'id',
  'ls',
  'env',
  'stat',
  'readlink',
  'touch',
  'grep',
  'mkdir',
  'true',
  'false',
  'mount',
  'tty',
  'ps',
];

function isDynamic(path: string): boolean {
  // The program interpreter of a dynamic executable is named near its beginning.
  return readFileSync(path).subarray(0, 4096).includes('ld-linux');
}

export type Change = (config: Mutable<Config>) => void;
export type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** Map of container root to an id of the host that nobody has. */
export const USER_NAMESPACE: Change = (config) => {
  const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  config.linux = { ...config.linux, uidMappings: map, gidMappings: map };
  config.linux.namespaces?.push({ type: 'user' });
};

/** A root that hooks and processes can write to. */
export const WRITABLE: Change = (config) => {
  config.root = { path: 'rootfs' };
};

export class Fixture {
  readonly sys = createNodeSys();
  readonly directory = mkdtempSync(join(tmpdir(), 'tsrun-test-'));
  readonly store = new Store(this.sys, join(this.directory, 'state'));
  readonly warnings: string[] = [];
  readonly #image = lazyAgentImage(this.sys);
  readonly #pids: number[] = [];
  /** Bundles made so far. */
  count = 0;

  context(stdio: readonly [number, number, number] = [0, 1, 2], preservedFds: readonly number[] = []): Context {
    return {
      sys: this.sys,
      store: this.store,
      caller: { stdio, preservedFds, extraEnvironment: [] },
      warn: (message) => this.warnings.push(message),
      agentImage: this.#image,
    };
  }

  /** A bundle whose process sleeps. Returns its path. */
  bundle(change: Change = () => undefined): string {
    const path = join(this.directory, `bundle${++this.count}`);
    const rootfs = join(path, 'rootfs');
    for (const name of ['bin', 'etc', 'proc', 'dev', 'sys', 'tmp', 'data']) mkdirSync(join(rootfs, name), { recursive: true, mode: 0o755 });
    execFileSync('chmod', ['755', this.directory, path]);
    copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'));
    for (const applet of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', applet));
    writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n');
    const config = structuredClone(defaultConfig()) as Mutable<Config>;
    config.process = {
      ...config.process,
      cwd: '/',
      terminal: false,
      args: ['sleep', '1000'],
      env: ['PATH=/bin', 'FROM=config'],
    } as Mutable<Process>;
    config.linux = { ...config.linux, resources: {} };
    change(config);
    writeFileSync(join(path, 'config.json'), JSON.stringify(config));
    return path;
  }

  /** Makes a container and returns its id and its init's pid. */
  create(change?: Change, context: Context = this.context()): { readonly id: string; readonly pid: number; readonly bundle: string } {
    const bundle = this.bundle(change);
    const id = `c${this.count}-${process.pid}`;
    const { record } = create(context, { id, bundle });
    this.#pids.push(record.pid);
    return { id, pid: record.pid, bundle };
  }

  /** As `create`, started. */
  run(change?: Change): { readonly id: string; readonly pid: number; readonly bundle: string } {
    const container = this.create(change);
    start(this.context(), container.id);
    return container;
  }

  /** Waits for a process of this fixture, or of an operation. */
  wait(pid: number): number | undefined {
    return waitForExit(this.sys, pid)?.status;
  }

  rootfs(container: { readonly bundle: string }, path: string): string {
    return join(container.bundle, 'rootfs', path);
  }

  dispose(): void {
    for (const id of this.store.list()) deleteContainer(this.context(), { id, force: true });
    for (const pid of this.#pids) waitForExit(this.sys, pid);
    close(this.sys, this.#image());
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Runs `body` with a file for standard output and error, and returns what was written into it. */
export function captured(body: (fd: number) => void): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-out-'));
  const path = join(directory, 'out');
  const fd = openSync(path, 'a');
  try {
    body(fd);
    return readFileSync(path, 'utf8');
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}
