/**
 * Applies a layer to a directory tree: archive events in, files out. Synchronous, since the kernel is, and since thirty thousand promises would cost
 * more than the files.
 *
 * Nothing outside the root is ever touched: see root-directory.ts. A layer that tries is an error, not a surprise.
 */

import { tryCall } from '../../../runtime/src/linux/call.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { toText } from '../archive/byte-string.ts';
import { type TarEntry, TarError, type TarEvent } from '../archive/tar-entry.ts';
import { ImageError } from '../base/errors.ts';
import { EntryMaker } from './entry-maker.ts';
import { LateDirectories } from './late-directories.ts';
import { type LowerLayers, lowerLayers, type WhiteoutStyle } from './lower-layers.ts';
import { MetadataWriter } from './metadata.ts';
import { baseOf, layerPath, parentOf } from './names.ts';
import { RootDirectory } from './root-directory.ts';
import { readWhiteout } from './whiteouts.ts';

export interface ApplyOptions {
  readonly whiteouts: WhiteoutStyle;
  /** Owners and devices cannot be made: they are recorded in xattrs. */
  readonly isRootless: boolean;
}

export interface ApplyResult {
  readonly entries: number;
  /** What could not be kept, a sentence each. */
  readonly warnings: readonly string[];
  /** Directories the layer uses without saying how they should be; made with mode 0755 where they were missing. */
  readonly implied: readonly string[];
}

/** Use: `apply` for each event, `finish` at the end, `close` in any case. */
export class LayerApplier {
  readonly #root: RootDirectory;
  readonly #lower: LowerLayers;
  readonly #metadata: MetadataWriter;
  readonly #late = new LateDirectories();
  readonly #maker: EntryMaker;
  readonly #isRootless: boolean;
  readonly #warnings = new Set<string>();
  readonly #implied: string[] = [];
  #entries = 0;

  constructor(sys: Sys, rootPath: string, options: ApplyOptions) {
    this.#isRootless = options.isRootless;
    this.#root = new RootDirectory(sys, rootPath, {
      onImplied: (path) => this.#implied.push(path),
      ...(options.isRootless ? { onOpen: (path, directory) => this.#makeUsable(path, directory) } : {}),
    });
    this.#lower = lowerLayers(this.#root, options.whiteouts);
    this.#metadata = new MetadataWriter(sys, { isRootless: options.isRootless, warn: (message) => this.#warnings.add(message) });
    const { isRootless } = options;
    this.#maker = new EntryMaker({ root: this.#root, lower: this.#lower, metadata: this.#metadata, late: this.#late, isRootless });
  }

  /** Throws TarError for what no layer may hold, and ImageError `layer` for what the file system makes impossible. Both name the entry. */
  apply(event: TarEvent): void {
    if (event.kind === 'data') this.#maker.write(event.bytes, event.offset);
    else if (event.kind === 'end') this.#maker.end();
    else this.#applyEntry(event.entry);
  }

  /** The content of the file applied last, from an open file. */
  copy(source: number, sizeBytes: number): void {
    this.#maker.copy(source, sizeBytes);
  }

  finish(): ApplyResult {
    this.#late.apply(this.#root, this.#metadata);
    return { entries: this.#entries, warnings: [...this.#warnings], implied: this.#implied };
  }

  close(): void {
    this.#maker.close();
    this.#root.close();
  }

  #applyEntry(entry: TarEntry): void {
    this.#entries += 1;
    try {
      const path = layerPath(entry.path);
      if (path === '') this.#applyRoot(entry);
      else this.#applyAt(path, entry);
    } catch (cause) {
      throw explain(entry, cause);
    }
  }

  #applyRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') throw new TarError('the root is not a directory');
    this.#maker.mergeDirectory('', this.#root.require('').fd, entry);
  }

  #applyAt(path: string, entry: TarEntry): void {
    const whiteout = readWhiteout(baseOf(path));
    if (whiteout.kind === 'remove') this.#lower.remove(parentOf(path), whiteout.name);
    else if (whiteout.kind === 'opaque') this.#lower.clear(parentOf(path));
    else if (whiteout.kind === 'none') {
      this.#maker.make(path, entry);
      this.#lower.touch(path);
    }
  }

  /** A directory of a lower layer may deny its owner what we are about to do in it. */
  #makeUsable(path: string, directory: { readonly fd: number; readonly mode: number }): void {
    if (!this.#isRootless || (directory.mode & 0o700) === 0o700) return;
    if (tryCall(this.#root.sys, 'fchmod', directory.fd, directory.mode | 0o700) === 0) this.#late.set(path, { mode: directory.mode });
  }
}

function explain(entry: TarEntry, cause: unknown): unknown {
  if (cause instanceof ImageError) return cause;
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new ImageError('layer', `cannot unpack ${JSON.stringify(toText(entry.path))}: ${problem}`, { cause });
}
