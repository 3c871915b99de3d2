/** What builds for several platforms do once: a step with the same inputs, wherever it stands, is carried out by whoever comes to it first. */

import type { Layout } from '../../store/layout.ts';
import { FileHashes } from '../cache/file-hashes.ts';
import type { StepResult } from '../cache/records.ts';

export class SharedWork {
  readonly #steps = new Map<string, Promise<StepResult>>();
  readonly #hashes = new Map<string, FileHashes>();

  /** `isFirst` is false for who only waits. What fails, fails for all who wait. */
  once(key: string, work: () => Promise<StepResult>): { readonly isFirst: boolean; readonly result: Promise<StepResult> } {
    const known = this.#steps.get(key);
    if (known !== undefined) return { isFirst: false, result: known };
    const result = work();
    this.#steps.set(key, result);
    return { isFirst: true, result };
  }

  hashes(layout: Layout, root: string): FileHashes {
    const known = this.#hashes.get(root) ?? new FileHashes(layout, root);
    this.#hashes.set(root, known);
    return known;
  }

  saveHashes(): void {
    for (const hashes of this.#hashes.values()) hashes.save();
  }
}
