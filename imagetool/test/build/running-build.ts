/** For tests: a build in a process of its own, which is stopped on the way. */

import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TsimgCommand } from './command.ts';

/** What does not come in this time, on a machine however busy, does not come. */
const SHOW_MS = 100_000;

export class RunningBuild implements Disposable {
  readonly #child: ChildProcess;
  /** In the environment of all that it starts. */
  readonly #mark = `TSIMG_TEST_MARK=${randomBytes(8).toString('hex')}`;
  readonly ended: Promise<number | null>;
  #text = '';
  #isOver = false;

  /** Its standard input stays open. */
  constructor(tsimg: TsimgCommand, ...args: readonly string[]) {
    const [name = '', value = ''] = this.#mark.split('=');
    this.#child = tsimg.start({ [name]: value }, 'build', ...args);
    this.ended = new Promise((done) => {
      this.#child.once('close', (code) => {
        this.#isOver = true;
        done(code);
      });
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.#text += String(chunk);
    });
    this.#child.stdin?.on('error', () => undefined);
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  get output(): string {
    return this.#text;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits until it has shown something. */
  async shows(what: RegExp): Promise<void> {
    const deadline = Date.now() + SHOW_MS;
    while (!what.test(this.#text)) {
      if (this.#isOver || Date.now() > deadline) throw new Error(`it did not show ${what}: ${this.#text}`);
      await sleep(5);
    }
  }

  /** Returns its exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return await this.ended;
  }

  /** Of those that it has started, the ones that are still there; containers are found by their root in the store. */
  processes(storeRoot: string): string[] {
    return readdirSync('/proc').filter((pid) => {
      try {
        if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
        return (
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes(this.#mark) ||
          readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(`${storeRoot}/snapshots/active`)
        );
      } catch {
        return false;
      }
    });
  }
}
