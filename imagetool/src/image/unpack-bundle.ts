/** An image as an OCI runtime bundle: `DIR/config.json`, `DIR/rootfs`, and `DIR/.tsimg.json`, which remembers where it came from. */

import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import { ImageError } from '../base/errors.ts';
import { shortDigest } from '../digest/digest.ts';
import { readFileInRoot } from '../layer/read-file.ts';
import { openVerified } from '../store/blobs.ts';
import type { Store } from '../store/store.ts';
import { bundleConfig, commandOf } from './bundle-config.ts';
import { writeBundleRecord } from './bundle-record.ts';
import { unpackTree } from './image-tree.ts';
import { type LoadedImage, loadImage } from './load.ts';
import { type ResolvedUser, resolveUser } from './users.ts';

export interface UnpackBundleOptions {
  readonly store: Store;
  readonly image: Descriptor;
  readonly name?: string;
  readonly platform: Platform;
  readonly directory: string;
  /** The caller, if not root. */
  readonly rootless?: { readonly uid: number; readonly gid: number };
  readonly args?: readonly string[];
}

export interface UnpackedBundle {
  readonly image: LoadedImage;
  readonly entries: number;
  readonly warnings: readonly string[];
}

/** The directory must be missing or empty. If anything fails, what was made is removed. */
export async function unpackBundle(options: UnpackBundleOptions): Promise<UnpackedBundle> {
  const { store, directory } = options;
  const image = await loadImage(store.layout, options.image, options.platform);
  // Before anything is unpacked that would have to be removed again.
  commandOf(image.config, options.args);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (readdirSync(directory).length > 0) throw new ImageError('exists', `${directory} is not empty`);
  const rootfs = join(directory, 'rootfs');
  try {
    mkdirSync(rootfs);
    chmodSync(rootfs, 0o755);
    const { entries, warnings } = await unpackTree(store.sys, image, (layer) => openVerified(store.layout, layer), rootfs, {
      isRootless: options.rootless !== undefined,
    });
    const config = bundleConfig({
      image: image.config,
      user: userOf(options, image, rootfs),
      hostname: shortDigest(image.manifest.config.digest),
      ...(options.rootless === undefined ? {} : { rootless: options.rootless }),
      ...(options.args === undefined ? {} : { args: options.args }),
    });
    writeFileSync(join(directory, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
    const base = {
      image: image.descriptor,
      isRootless: options.rootless !== undefined,
      ...(options.name === undefined ? {} : { name: options.name }),
    };
    writeBundleRecord(store.sys, directory, base);
    return { image, entries, warnings };
  } catch (error) {
    rmSync(rootfs, { recursive: true, force: true });
    for (const name of ['config.json', '.tsimg.json']) rmSync(join(directory, name), { force: true });
    throw error;
  }
}

function userOf(options: UnpackBundleOptions, image: LoadedImage, rootfs: string): ResolvedUser {
  const text = (path: string) => readFileInRoot(options.store.sys, rootfs, path)?.toString('utf8') ?? '';
  return resolveUser(image.config.config?.User ?? '', { passwd: text('etc/passwd'), group: text('etc/group') });
}
