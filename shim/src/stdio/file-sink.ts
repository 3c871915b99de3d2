/** Into a file. The writing is done on Node's threads: a disk that is slow must hold up one stream, not all. */
import { closeSync, mkdirSync, openSync, write } from 'node:fs';
import { dirname } from 'node:path';
import type { Sink } from './sink.ts';

const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;

/** Opens a file for appending, with the directories that lead to it. The caller closes it. */
export function openLogFile(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
  return openSync(path, 'a', FILE_MODE);
}

/** One file, appended to in the order of the calls. Any number of streams share it: each holder closes it once. */
export class FileSink implements Sink {
  readonly #warn: (message: string) => void;
  readonly #path: string;
  readonly #fd: number;
  #holders = 1;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(path: string, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
    this.#fd = openLogFile(path);
  }

  /** One holder more. */
  share(): this {
    this.#holders++;
    return this;
  }

  write(chunk: Uint8Array, ready: () => void): boolean {
    const bytes = Uint8Array.from(chunk);
    this.#writing = this.#writing.then(() => this.#append(bytes)).then(ready);
    return false;
  }

  async close(): Promise<void> {
    this.#holders--;
    if (this.#holders > 0) return this.#writing;
    await this.#writing;
    closeSync(this.#fd);
  }

  /** What does not fit on a full disk is lost, and said once: the container goes on. */
  #append(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
        if (error === null && written < bytes.length) {
          this.#append(bytes.subarray(written)).then(resolve, resolve);
          return;
        }
        if (error !== null && !this.#failed) this.#warn(`${this.#path}: output is lost: ${error.message}`);
        this.#failed = error !== null;
        resolve();
      });
    });
  }
}
