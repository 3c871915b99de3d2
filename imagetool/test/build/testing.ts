/** For tests of builds: a store with a base image, builds in this process, and what images print when they are run. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { runContainer } from '../../src/build/run/container.ts';
import { Workspace } from '../../src/build/run/workspace.ts';
import { bootstrap } from '../../src/cli/commands/bootstrap.ts';
import { buildCommand } from '../../src/cli/commands/build.ts';
import { type CommandRunner, commandRunner, type Ran } from '../../src/cli/testing.ts';
import { bundleConfig } from '../../src/image/bundle-config.ts';
import { findStoredImage } from '../../src/image/find.ts';
import { type LoadedImage, loadImage } from '../../src/image/load.ts';
import { hostPlatform } from '../../src/image/platform.ts';
import { prepareSnapshot } from '../../src/image/prepare-snapshot.ts';
import { resolveUser } from '../../src/image/users.ts';
import { readFileInRoot } from '../../src/layer/read-file.ts';
import type { Transport } from '../../src/registry/transport.ts';
import { removeSnapshot } from '../../src/snapshot/overlay.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../src/store/testing.ts';

export class BuildBench implements Disposable {
  readonly directory: TemporaryDirectory = temporaryDirectory();
  readonly storeRoot = join(this.directory.path, 'store');
  readonly store: Store;
  readonly run: CommandRunner;

  private constructor(transport: Transport | undefined) {
    this.store = openStore(this.storeRoot, createNodeSys());
    this.run = commandRunner(this.storeRoot, transport);
  }

  /** With the image `busybox`, made of this machine's: the same in every bench. */
  static async make(transport?: Transport): Promise<BuildBench> {
    const bench = new BuildBench(transport);
    await bench.run(bootstrap, 'busybox');
    return bench;
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }

  /** Writes a context; returns its directory. */
  context(name: string, files: Readonly<Record<string, string>>): string {
    const directory = join(this.directory.path, name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), content);
    }
    return directory;
  }

  async build(...args: readonly string[]): Promise<Ran> {
    return await this.run(buildCommand, ...args);
  }

  /** Content of a file of an image. */
  async text(name: string, path: string): Promise<string | undefined> {
    return await this.withTree(name, (root) => readFileInRoot(this.store.sys, root, path)?.toString('utf8'));
  }

  /** The steps of a build that were taken from the cache, and the others, by their titles. */
  async steps(...args: readonly string[]): Promise<{ readonly cached: string[]; readonly made: string[] }> {
    const { notes } = await this.build(...args);
    const names = new Map<string, string>();
    for (const line of notes) {
      const [, id = '', name = ''] = /^#(\d+) \[[^\]]*\] (.*)$/.exec(line) ?? [];
      if (id !== '') names.set(id, name);
    }
    const ended = (word: string): string[] =>
      notes.flatMap((line) => {
        const [, id = '', outcome = ''] = /^#(\d+) (CACHED|DONE)/.exec(line) ?? [];
        const name = names.get(id);
        return outcome !== word || name === undefined || /^(?:FROM|load) /.test(name) ? [] : [name];
      });
    return { cached: ended('CACHED'), made: ended('DONE') };
  }

  async image(name: string, platform = hostPlatform()): Promise<LoadedImage> {
    const { descriptor } = await findStoredImage(this.store.layout, name);
    return await loadImage(this.store.layout, descriptor, platform);
  }

  /** Shows the image's files at a place of this machine. */
  async withTree<T>(name: string, use: (root: string, image: LoadedImage) => T | Promise<T>): Promise<T> {
    const image = await this.image(name);
    const id = `test-${process.pid}`;
    const snapshot = await prepareSnapshot(this.store, image, { id, isRootless: false });
    try {
      return await use(snapshot?.merged ?? '', image);
    } finally {
      removeSnapshot(this.store, id);
    }
  }

  /** What the image prints when it is run as its configuration says. */
  async output(name: string): Promise<string> {
    const workspace = await Workspace.open(this.store);
    try {
      return await this.withTree(name, async (root, image) => {
        const text = (path: string): string => readFileInRoot(this.store.sys, root, path)?.toString('utf8') ?? '';
        const user = resolveUser(image.config.config?.User ?? '', { passwd: text('etc/passwd'), group: text('etc/group') });
        const config = { ...bundleConfig({ image: image.config, user, hostname: 'test' }), root: { path: root } };
        const chunks: Buffer[] = [];
        const signal = new AbortController().signal;
        await runContainer(this.store, { space: workspace.step(), config, onOutput: (bytes) => chunks.push(bytes), signal });
        return Buffer.concat(chunks).toString('utf8');
      });
    } finally {
      await workspace.close();
    }
  }

  /** Mounts, containers and snapshots that builds have left in the store. */
  leftovers(): string[] {
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.storeRoot));
    const places = ['build/work', 'build/containers', 'snapshots/active'].map((place) => join(this.storeRoot, place));
    return [...mounts, ...places.flatMap(entriesOf)];
  }
}

function entriesOf(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
}
