/** Runs a container's health check, again and again, while the container runs. */

import { mkdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { anyOfJson, JSON_TYPES } from '../../../specs/containerd/any.ts';
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { messageOf } from '../container/files.ts';
import { afterCheck, type HealthSettings, OUTPUT_LIMIT_BYTES, STARTING, untilNextCheckMs } from '../container/health.ts';
import { userOf } from '../container/in-container.ts';
import { containerPlaces } from '../container/places.ts';
import type { ContainerRecord, HealthResult, HealthState } from '../container/record.ts';
import { rootfsPaths } from '../container/rootfs.ts';
import { execProcess } from '../container/runtime-config.ts';
import { timestamp } from '../container/timestamp.ts';
import { makeNamedPipe, openReader } from '../stdio/named-pipe.ts';
import type { Setting } from './setting.ts';

const TIMED_OUT = -1;

export class HealthMonitor {
  readonly #setting: Setting;
  readonly #record: ContainerRecord;
  readonly #settings: HealthSettings;
  readonly #onChange: (state: HealthState) => void;
  readonly #startedMs = Date.now();
  #state: HealthState = STARTING;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #serial = 0;

  /** `onChange` is called with the first state, too. */
  constructor(setting: Setting, record: ContainerRecord, settings: HealthSettings, onChange: (state: HealthState) => void) {
    this.#setting = setting;
    this.#record = record;
    this.#settings = settings;
    this.#onChange = onChange;
    this.#schedule();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isOver) return;
    const waitMs = untilNextCheckMs(this.#state, this.#settings, Date.now() - this.#startedMs);
    this.#timer = setTimeout(() => {
      this.#check().then(
        () => this.#schedule(),
        (error) => {
          this.#setting.warn(`${this.#record.Name}: health check: ${messageOf(error)}`);
          this.#schedule();
        },
      );
    }, waitMs);
  }

  async #check(): Promise<void> {
    const Start = timestamp();
    const { code, output } = await this.#run();
    if (this.#isOver) return;
    const result: HealthResult = { Start, End: timestamp(), ExitCode: code, Output: output };
    this.#state = afterCheck(this.#state, result, this.#settings, Date.now() - this.#startedMs);
    this.#onChange(this.#state);
  }

  async #run(): Promise<{ code: number; output: string }> {
    const { tasks, sys } = this.#setting;
    this.#serial += 1;
    const id = this.#record.Id;
    const execId = `health-${this.#serial}`;
    const directory = join(containerPlaces(this.#setting.places, id).directory, execId);
    mkdirSync(directory, { mode: 0o700 });
    const path = join(directory, 'output');
    makeNamedPipe(sys, path);
    const output = collect(openReader(sys, path));
    try {
      const rootfs = rootfsPaths(this.#setting.store, id).merged;
      const process = execProcess(this.#record, {
        args: this.#settings.command,
        env: this.#record.Config.Env ?? [],
        cwd: undefined,
        tty: false,
        privileged: false,
        user: userOf(sys, rootfs, this.#record.Config.User ?? '', []),
      });
      await tasks.Exec({ id, execId, stdout: path, stderr: path, spec: anyOfJson(JSON_TYPES.process, stringifyJson(process)) });
      const code = await this.#outcome(execId);
      await tasks.Delete({ id, execId });
      return { code, output: code === TIMED_OUT ? `Health check exceeded timeout (${this.#settings.timeoutMs}ms)` : await output.text() };
    } catch (error) {
      return { code: 126, output: messageOf(error) };
    } finally {
      output.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }

  async #outcome(execId: string): Promise<number> {
    const { tasks } = this.#setting;
    const id = this.#record.Id;
    await tasks.Start({ id, execId });
    const ended = tasks.Wait({ id, execId });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#settings.timeoutMs);
    });
    const first = await Promise.race([ended, late]);
    clearTimeout(timer);
    if (first !== undefined) return first.exitStatus;
    await tasks.Kill({ id, execId, signal: 9 });
    await ended;
    return TIMED_OUT;
  }
}

/** The beginning of what comes out of a pipe. */
function collect(fd: number): { text(): Promise<string>; close(): void } {
  const socket = new Socket({ fd, readable: true, writable: false });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  socket.on('data', (chunk: Uint8Array) => {
    if (bytes < OUTPUT_LIMIT_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  });
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  return {
    text: async () => {
      await Promise.race([ended, new Promise((done) => setTimeout(done, 1_000))]);
      return Buffer.concat(chunks).subarray(0, OUTPUT_LIMIT_BYTES).toString('utf8');
    },
    close: () => socket.destroy(),
  };
}
