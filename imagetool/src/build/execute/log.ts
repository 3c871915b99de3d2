/** The whole output of a step, in a file: kept when the step fails. */

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../../store/layout.ts';

const TAIL_LINES = 40;
const TAIL_BYTES = 256 * 1024;

export class StepLog {
  readonly path: string;
  readonly #fd: number;
  #tail = Buffer.alloc(0);
  #isKept = true;

  constructor(layout: Layout, id: string) {
    const directory = join(layout.build, 'logs');
    mkdirSync(directory, { recursive: true });
    this.path = join(directory, `${id}.log`);
    this.#fd = openSync(this.path, 'w', 0o644);
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-TAIL_BYTES);
  }

  tail(): string[] {
    const lines = this.#tail.toString('utf8').split(/\r?\n/);
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-TAIL_LINES);
  }

  discard(): void {
    this.#isKept = false;
  }

  close(): void {
    closeSync(this.#fd);
    if (!this.#isKept) rmSync(this.path, { force: true });
  }
}
