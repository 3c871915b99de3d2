import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringifyJson } from '../../specs/json/stringify-json.ts';
import type { Config } from '../../specs/runtime/config.ts';
import { baseConfig } from './base-config.ts';
import { applyPatch, type ConfigPatch } from './patch.ts';
import { makeRootfs } from './rootfs.ts';

/** A directory with a configuration and a root file system. */
export class Bundle {
  readonly path: string;
  readonly rootfs: string;

  constructor(path: string, busybox: string) {
    this.path = path;
    this.rootfs = join(path, 'rootfs');
    mkdirSync(this.rootfs, { recursive: true });
    makeRootfs(this.rootfs, busybox);
  }

  /** Writes the base configuration with changes. A function is given the bundle, for paths. */
  configure(patch: BundlePatch): Config {
    const config = baseConfig();
    applyPatch(config, typeof patch === 'function' ? patch(this) : patch);
    writeFileSync(join(this.path, 'config.json'), stringifyJson(config, '  '));
    return config;
  }

  /** A path of the container as the host sees it. */
  inside(path: string): string {
    return join(this.rootfs, path);
  }

  /** A directory in the bundle, outside of the root file system. */
  directory(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A file in the bundle, or, with a path such as `rootfs/etc/x`, in the root file system. Returns its path. */
  file(name: string, content = '', mode = 0o644): string {
    const path = join(this.path, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content, { mode });
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }
}

export type BundlePatch = ConfigPatch | ((bundle: Bundle) => ConfigPatch);
