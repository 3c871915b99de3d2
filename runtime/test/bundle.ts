/** Bundles with a busybox root, for the command line. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Requirement } from '../../.scripts/jest/requirement.ts';
import type { Config } from '../../specs/runtime/config.ts';
import { defaultConfig } from '../src/spec/default-config.ts';

export const BUSYBOX = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path)) ?? '';

/** One static file is a whole root file system. */
export const staticBusybox: Requirement = { what: 'static busybox', met: BUSYBOX !== '' && isStatic(BUSYBOX) };

const APPLETS = ['cat', 'echo', 'env', 'false', 'id', 'kill', 'ls', 'ps', 'pwd', 'readlink', 'sh', 'sleep', 'touch', 'true'];
const DIRECTORIES = ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'];

/** The program interpreter of a dynamic executable is named near its beginning. */
function isStatic(path: string): boolean {
  return !readFileSync(path).subarray(0, 4096).includes('ld-linux');
}

export type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
/** A change to the configuration before it is written. */
export type ConfigChange = (config: Mutable<Config>) => void;

/** The process runs this. */
export function args(...words: string[]): ConfigChange {
  return (config) => {
    if (config.process !== undefined) config.process.args = words;
  };
}

/** Makes a bundle whose process sleeps, without a terminal, unless `changes` say otherwise. Returns its path. */
export function makeBundle(path: string, ...changes: readonly ConfigChange[]): string {
  const rootfs = join(path, 'rootfs');
  for (const name of DIRECTORIES) {
    mkdirSync(join(rootfs, name), { recursive: true });
    chmodSync(join(rootfs, name), 0o755);
  }
  copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', applet));
  writeConfig(path, ...changes);
  return path;
}

/** Writes the configuration anew. */
export function writeConfig(path: string, ...changes: readonly ConfigChange[]): void {
  const config = structuredClone(defaultConfig()) as Mutable<Config>;
  if (config.process !== undefined) config.process.terminal = false;
  // Limits need controllers, which a hybrid host does not have on cgroup v2.
  if (config.linux !== undefined) config.linux.resources = {};
  for (const change of [args('sleep', '1000'), ...changes]) change(config);
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
}
