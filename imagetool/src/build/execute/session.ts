/** What all steps of one build share. */

import type { Platform } from '../../../../specs/image/descriptor.ts';
import type { Config } from '../../../../specs/runtime/config.ts';
import type { Seccomp } from '../../../../specs/runtime/linux/seccomp.ts';
import type { LoadedImage } from '../../image/load.ts';
import type { LayerKind } from '../../snapshot/layers.ts';
import type { Lease } from '../../store/leases.ts';
import type { Store } from '../../store/store.ts';
import type { FileHashes } from '../cache/file-hashes.ts';
import { type CacheRecord, CacheRecords, type CacheSource } from '../cache/records.ts';
import type { Trace } from '../cache/trace.ts';
import type { Origin } from '../copy/select.ts';
import type { BuildProgress } from '../progress/progress.ts';
import type { Provided } from '../run/mounts.ts';
import type { StepSpace, Workspace } from '../run/workspace.ts';
import { UnpackedStacks } from './layers.ts';
import type { SharedWork } from './shared-work.ts';
import { createdTime } from './time.ts';

export interface SessionOptions {
  readonly store: Store;
  readonly lease: Lease;
  readonly workspace: Workspace;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
  /** Stops all steps. */
  readonly abort: () => void;
  /** This process is the root of a user namespace. */
  readonly isNamespaced: boolean;
  readonly platform: Platform;
  /** How progress tells its steps from those for other platforms; empty where there is one. */
  readonly platformLabel: string;
  /** With the sessions for other platforms. */
  readonly shared: SharedWork;
  readonly context: Origin;
  readonly named: ReadonlyMap<string, Origin>;
  readonly loadImage: (reference: string, platform: Platform) => Promise<LoadedImage>;
  readonly provided: Provided;
  /** --add-host. */
  readonly hosts: readonly string[];
  readonly epochSeconds?: number;
  /** Steps of these stages are made anew; `all` of all. */
  readonly noCache: 'all' | ReadonlySet<string>;
  /** --cache-from. */
  readonly cacheSources: readonly CacheSource[];
  /** Says why steps are made anew. */
  readonly trace: Trace;
  /** Opens a shell in the state of a step that failed, before it is thrown away. */
  readonly onFailedRun?: (store: Store, space: StepSpace, config: Config) => number;
  /** Names the step that a shell takes the place of. */
  readonly breakAt?: (name: string) => boolean;
  /** Called before a shell takes the terminal. */
  readonly beforeShell?: () => void;
}

export class Session {
  readonly options: SessionOptions;
  readonly records: CacheRecords;
  readonly stacks: UnpackedStacks;
  readonly kind: LayerKind;
  readonly #used: { readonly stage: number; readonly key: string; readonly record: CacheRecord }[] = [];
  #filter: { readonly value: Seccomp | undefined } | undefined;

  constructor(options: SessionOptions) {
    this.options = options;
    this.records = new CacheRecords(options.store.layout);
    this.kind = options.isNamespaced ? 'namespaced' : 'root';
    this.stacks = new UnpackedStacks(options.store, this.kind);
  }

  /** Remembers what a step came to, from the cache or not. */
  use(stage: number, key: string, record: CacheRecord): void {
    this.#used.push({ stage, key, record });
  }

  /** What the steps of this build came to: those of one stage, or of all. */
  usedRecords(stage?: number): [string, CacheRecord][] {
    return this.#used.filter((one) => stage === undefined || one.stage === stage).map(({ key, record }) => [key, record]);
  }

  /** Of system calls of RUN steps; made once. */
  filter(make: () => Seccomp | undefined): Seccomp | undefined {
    this.#filter ??= { value: make() };
    return this.#filter.value;
  }

  hashes(root: string): FileHashes {
    const { shared, store } = this.options;
    return shared.hashes(store.layout, root);
  }

  saveHashes(): void {
    this.options.shared.saveHashes();
  }

  /** RFC 3339: now, or what stands for it. */
  now(): string {
    return createdTime(this.options.epochSeconds);
  }

  nowSeconds(): number {
    return this.options.epochSeconds ?? Math.floor(Date.now() / 1000);
  }
}
