/** The contestants and what they are measured with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryCall } from '../src/linux/call.ts';
import { AT_FDCWD } from '../src/linux/open-flags.ts';
import { createNodeSys } from '../src/sys/node.ts';
import type { Sys } from '../src/sys/sys.ts';
import { makeBundle } from './bundle.ts';
import { InProcess } from './in-process.ts';

export interface Runtime {
  readonly name: string;
  readonly path: string;
  /** Where it keeps its state. */
  readonly root: string;
}

export interface Setting {
  readonly sys: Sys;
  readonly rounds: number;
  /** tsrun first. */
  readonly runtimes: readonly Runtime[];
  readonly nodeCommand: Runtime;
  readonly busybox: string;
  readonly directory: string;
  readonly trueBundle: string;
  readonly sleepBundle: string;
  readonly inProcess: InProcess;
}

const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function find(sys: Sys, name: string): string {
  const path = DIRECTORIES.map((directory) => `${directory}/${name}`).find(
    (candidate) => tryCall(sys, 'faccessat', AT_FDCWD, candidate, 1) === 0,
  );
  if (path === undefined) throw new Error(`${name} is not installed: apt-get install ${name === 'busybox' ? 'busybox-static' : name}`);
  return path;
}

/** Runs `body` with everything set up, and cleans up after it. */
export function withSetting(root: string, rounds: number, body: (setting: Setting) => void): void {
  const sys = createNodeSys();
  const directory = mkdtempSync('/tmp/tsrun-bench-');
  // A tmpfs, as /run is on most machines: a disk's journal would be measured with the runtimes.
  const state = mkdtempSync('/dev/shm/tsrun-bench-');
  try {
    const busybox = find(sys, 'busybox');
    const trueBundle = makeBundle(directory, 'true', busybox, ['/bin/true']);
    const sleepBundle = makeBundle(directory, 'sleep', busybox, ['/bin/sleep', '600']);
    const runtime = (name: string, path: string): Runtime => ({ name, path, root: join(state, name) });
    const runtimes = [
      runtime('tsrun', join(root, 'dist/bin/tsrun')),
      runtime('crun', find(sys, 'crun')),
      runtime('runc', find(sys, 'runc')),
    ];
    const nodeCommand = runtime('tsrun-node', join(root, 'dist/bin/tsrun-node'));
    const inProcess = new InProcess(sys, join(state, 'in-process'), trueBundle);
    body({ sys, rounds, runtimes, nodeCommand, busybox, directory, trueBundle, sleepBundle, inProcess });
  } finally {
    for (const path of [directory, state]) rmSync(path, { recursive: true, force: true });
  }
}
