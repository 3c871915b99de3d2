/** The keys that leave a container without stopping it: found in what is typed, and kept from the container. */

import { invalid } from '../../container/errors.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** `ctrl-X` with a letter or one of `@[\]^_`, or a single character; several joined by commas. @throws ContainerError invalid */
export function parseDetachKeys(text: string): number[] {
  return text.split(',').map((key) => {
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
    throw invalid(`invalid detach keys (${text}) provided`, 'Give ctrl-p,ctrl-q, or a letter.');
  });
}

export interface Typed {
  /** For the container. */
  readonly bytes: Uint8Array;
  readonly isDetach: boolean;
}

/** What could be the beginning of the keys is held back until it is known. */
export class DetachKeys {
  readonly #keys: readonly number[];
  #matched = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  take(chunk: Uint8Array): Typed {
    const bytes: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) return { bytes: Uint8Array.from(bytes), isDetach: true };
        continue;
      }
      bytes.push(...this.#keys.slice(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) bytes.push(byte);
    }
    return { bytes: Uint8Array.from(bytes), isDetach: false };
  }
}
