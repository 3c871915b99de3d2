/** One container under supervision: started, watched, restarted, stopped. What changes it is done one after the other. */

import { join } from 'node:path';
import { nanosecondsOf } from '../../../specs/containerd/timestamp.ts';
import { readRecord, writeState, writtenState } from '../container/containers.ts';
import { ContainerError, noSuchContainer } from '../container/errors.ts';
import { recordContainerEvent } from '../container/events.ts';
import { isDiskFull, messageOf } from '../container/files.ts';
import { healthSettings, STARTING } from '../container/health.ts';
import { containerPlaces } from '../container/places.ts';
import { processStartTime } from '../container/processes.ts';
import { type ContainerRecord, type ContainerState, healthcheckOf, isRunning } from '../container/record.ts';
import { nextDelayMs, shouldRestart } from '../container/restart-policy.ts';
import { timestamp } from '../container/timestamp.ts';
import type { Attachment } from './attachment.ts';
import { bringUp, type Running, type TerminalSize, takeDown, takeUp } from './bring-up.ts';
import { HealthMonitor } from './health-monitor.ts';
import { logSinks } from './log.ts';
import { writePeerHosts } from './name-files.ts';
import type { Setting } from './setting.ts';
import { ContainerStreams } from './streams.ts';

/** How long output may take to come out of the pipes after the end of the process. */
const DRAIN_MS = 10_000;
/** Until a full disk is tried again. */
const LATE_MS = 5_000;
/** This process. */
const OWN = { pid: process.pid, startTime: processStartTime(process.pid) ?? '' };
const NS_PER_MS = 1_000_000n;

export interface Ended {
  readonly code: number;
}

export class Supervised {
  readonly id: string;
  readonly #setting: Setting;
  readonly #streams: ContainerStreams;
  readonly #attachments = new Map<number, Attachment>();
  readonly #onGone: (record: ContainerRecord) => Promise<void>;
  #state: ContainerState;
  #running: Running | undefined;
  #health: HealthMonitor | undefined;
  #line: Promise<unknown> = Promise.resolve();
  #stoppedByUser = false;
  #restart: { readonly timer: NodeJS.Timeout; delayMs: number } | undefined;
  #lastDelayMs = 0;
  #late: NodeJS.Timeout | undefined;
  readonly #waiters: ((ended: Ended) => void)[] = [];

  /** `onGone`: the container has ended and will not be started again by its policy. */
  constructor(setting: Setting, record: ContainerRecord, onGone: (record: ContainerRecord) => Promise<void>) {
    this.id = record.Id;
    this.#setting = setting;
    this.#onGone = onGone;
    this.#state = writtenState(setting.places, record.Id);
    const directory = join(containerPlaces(setting.places, record.Id).directory, 'io');
    this.#streams = new ContainerStreams(setting.sys, directory, logSinks(record, setting.warn));
  }

  get state(): ContainerState {
    return this.#state;
  }

  get isActive(): boolean {
    return isRunning(this.#state) || this.#state.status === 'restarting';
  }

  #inLine<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#line.then(action);
    this.#line = result.catch(() => undefined);
    return result;
  }

  /** Starting what runs is no mistake. @throws ContainerError */
  start(size?: TerminalSize): Promise<number> {
    return this.#inLine(async () => {
      if (isRunning(this.#state)) return this.#state.pid;
      this.#cancelRestart();
      this.#stoppedByUser = false;
      this.#lastDelayMs = 0;
      return await this.#start(0, size);
    });
  }

  async #start(restartCount: number, size: TerminalSize | undefined): Promise<number> {
    const record = this.#record();
    try {
      const running = await bringUp(this.#setting, record, this.#state, this.#streams, size);
      this.#running = running;
      this.#write({
        status: 'running',
        pid: running.pid,
        pidStartTime: processStartTime(running.pid) ?? '',
        supervisor: OWN,
        exitCode: 0,
        error: '',
        oomKilled: false,
        startedAt: timestamp(),
        restartCount,
        stoppedByUser: false,
        endpoints: running.endpoints,
        ports: running.held.ports,
        ...this.#watchHealth(record),
      });
    } catch (error) {
      const code = error instanceof ContainerError ? (error.exitCode ?? 125) : 125;
      this.#write({
        status: this.#state.startedAt === '' ? 'created' : 'exited',
        pid: 0,
        exitCode: code,
        error: messageOf(error),
        endpoints: [],
      });
      throw error;
    }
    recordContainerEvent(this.#setting.places, record, 'start');
    if (record.Networks.length > 0) writePeerHosts(this.#setting.places);
    this.#watch();
    return this.#running.pid;
  }

  #watch(): void {
    const startedMs = Date.now();
    this.#setting.tasks
      .Wait({ id: this.id })
      .then(
        ({ exitStatus, exitedAt }) => this.#inLine(() => this.#ended(exitStatus, nanosecondsOf(exitedAt), startedMs)),
        (error) => this.#setting.warn(`waiting for ${this.id}: ${messageOf(error)}`),
      )
      .catch((error) => this.#setting.warn(`the end of ${this.id}: ${messageOf(error)}`));
  }

  #watchHealth(record: ContainerRecord): Partial<ContainerState> {
    const check = healthcheckOf(record.Config);
    if (check === undefined) return {};
    const settings = healthSettings(check, record.Config.Shell ?? ['/bin/sh', '-c']);
    this.#health = new HealthMonitor(this.#setting, record, settings, (health) => {
      const before = this.#state.health?.Status;
      this.#write({ health });
      if (health.Status !== before) recordContainerEvent(this.#setting.places, record, `health_status: ${health.Status}`);
    });
    return { health: STARTING };
  }

  async #ended(exitCode: number, exitedAtNs: bigint, startedMs: number): Promise<void> {
    const record = readRecord(this.#setting.places, this.id);
    this.#health?.stop();
    this.#health = undefined;
    const network = this.#running?.network;
    this.#running?.held.release();
    this.#running = undefined;
    await Promise.race([this.#streams.drained, new Promise((done) => setTimeout(done, DRAIN_MS).unref())]);
    if (record !== undefined) await takeDown(this.#setting, record, this.#streams, network);
    const question = record && {
      policy: record.HostConfig.RestartPolicy,
      exitCode,
      restartCount: this.#state.restartCount,
      stoppedByUser: this.#stoppedByUser,
    };
    const restarts = question !== undefined && shouldRestart(question);
    const { health: _, ...rest } = this.#state;
    this.#state = rest;
    this.#write({
      status: restarts ? 'restarting' : 'exited',
      pid: 0,
      exitCode,
      finishedAt: timestamp(Number(exitedAtNs / NS_PER_MS) || Date.now()),
      stoppedByUser: this.#stoppedByUser,
      endpoints: [],
    });
    if (record !== undefined) {
      recordContainerEvent(this.#setting.places, record, 'die', { exitCode: String(exitCode) });
      if (record.Networks.length > 0) writePeerHosts(this.#setting.places);
    }
    if (restarts) this.#restartLater(Date.now() - startedMs);
    else if (record !== undefined) await this.#over(record, { code: exitCode });
  }

  #restartLater(ranMs: number): void {
    this.#lastDelayMs = nextDelayMs(this.#lastDelayMs, ranMs);
    const timer = setTimeout(() => {
      this.#inLine(async () => {
        if (this.#restart === undefined) return;
        this.#restart = undefined;
        await this.#start(this.#state.restartCount + 1, undefined);
      }).catch((error) => this.#giveUp(error));
    }, this.#lastDelayMs);
    this.#restart = { timer, delayMs: this.#lastDelayMs };
  }

  #giveUp(error: unknown): void {
    this.#setting.warn(`restarting ${this.id}: ${messageOf(error)}`);
    this.#write({ status: 'exited' });
    const record = readRecord(this.#setting.places, this.id);
    if (record !== undefined) this.#over(record, { code: this.#state.exitCode }).catch((reason) => this.#setting.warn(messageOf(reason)));
  }

  #cancelRestart(): boolean {
    if (this.#restart === undefined) return false;
    clearTimeout(this.#restart.timer);
    this.#restart = undefined;
    return true;
  }

  async #over(record: ContainerRecord, ended: Ended): Promise<void> {
    await this.#onGone(record);
    for (const attachment of this.#attachments.values()) {
      attachment.message({ exit: { code: ended.code } });
      attachment.end();
    }
    for (const waiter of this.#waiters.splice(0)) waiter(ended);
  }

  /** The next end of the container; the last one, where it does not run. */
  wait(): Promise<Ended> {
    if (!this.isActive) return Promise.resolve({ code: this.#state.exitCode });
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** A negative timeout never kills. Stopping what has stopped is no mistake. */
  async stop(signal: number, timeoutMs: number): Promise<void> {
    this.#stoppedByUser = true;
    if (this.#cancelRestart()) {
      this.#write({ status: 'exited', stoppedByUser: true });
      await this.#over(this.#record(), { code: this.#state.exitCode });
      return;
    }
    if (!isRunning(this.#state)) {
      this.#write({ stoppedByUser: true });
      return;
    }
    const record = this.#record();
    if (this.#state.status === 'paused') await this.unpause();
    const ended = this.wait();
    await this.#signal(signal);
    if (timeoutMs < 0) await ended;
    else if (!(await happensWithin(ended, timeoutMs))) {
      recordContainerEvent(this.#setting.places, record, 'kill', { signal: '9' });
      await this.#signal(9, true);
      await ended;
    }
    recordContainerEvent(this.#setting.places, record, 'stop');
  }

  /** SIGKILL and the signal that stops it keep it from being restarted. @throws ContainerError not-running */
  async kill(signal: number, stops: boolean): Promise<void> {
    if (this.#state.status === 'restarting') return await this.stop(signal, 0);
    const record = this.#record();
    this.#mustRun(`cannot kill container: ${record.Name}`);
    if (stops) this.#stoppedByUser = true;
    if (this.#state.status === 'paused' && signal === 9) await this.unpause();
    await this.#signal(signal);
    recordContainerEvent(this.#setting.places, record, 'kill', { signal: String(signal) });
  }

  async #signal(signal: number, all = false): Promise<void> {
    try {
      await this.#setting.tasks.Kill({ id: this.id, signal, all });
    } catch (error) {
      // It ended on its own meanwhile.
      if (processStartTime(this.#state.pid) === this.#state.pidStartTime) throw error;
    }
  }

  async pause(): Promise<void> {
    this.#mustRun('cannot pause container');
    if (this.#state.status === 'paused') throw new ContainerError('conflict', `Container ${this.id} is already paused`);
    await this.#setting.tasks.Pause({ id: this.id });
    this.#write({ status: 'paused' });
    recordContainerEvent(this.#setting.places, this.#record(), 'pause');
  }

  async unpause(): Promise<void> {
    if (this.#state.status !== 'paused') throw new ContainerError('conflict', `Container ${this.id} is not paused`);
    await this.#setting.tasks.Resume({ id: this.id });
    this.#write({ status: 'running' });
    recordContainerEvent(this.#setting.places, this.#record(), 'unpause');
  }

  attach(attachment: Attachment): void {
    this.#attachments.set(attachment.session, attachment);
    const stop = this.#streams.listen(attachment);
    attachment.onEnd = () => {
      stop();
      this.#attachments.delete(attachment.session);
      const { Config } = readRecord(this.#setting.places, this.id) ?? {};
      // The one who gave the input has gone.
      if (attachment.hasInput && Config?.StdinOnce === true && !Config.Tty) this.endInput().catch(() => undefined);
    };
  }

  async input(data: Uint8Array): Promise<void> {
    await this.#streams.write(data);
  }

  async endInput(): Promise<void> {
    await this.#streams.endInput();
    await this.#setting.tasks.CloseIO({ id: this.id, stdin: true }).catch(() => undefined);
  }

  /** Told before the end of the container, where it ends of it. */
  outOfMemory(): void {
    if (!this.#state.oomKilled) this.#write({ oomKilled: true });
    recordContainerEvent(this.#setting.places, this.#record(), 'oom');
  }

  /** Takes over a container that an earlier shim started; the task is there. */
  async adopt(): Promise<void> {
    const record = this.#record();
    this.#streams.reopen({ stdin: record.Config.OpenStdin, tty: record.Config.Tty });
    this.#running = await takeUp(record, this.#state);
    if (record.HostConfig.RestartPolicy.Name !== 'no') this.#stoppedByUser = this.#state.stoppedByUser;
    this.#write({ supervisor: OWN, ...this.#watchHealth(record) });
    this.#watch();
  }

  /** Changes what is written down of networks. */
  setEndpoints(endpoints: ContainerState['endpoints']): void {
    this.#write({ endpoints });
    writePeerHosts(this.#setting.places);
  }

  async close(): Promise<void> {
    clearTimeout(this.#late);
    this.#cancelRestart();
    this.#health?.stop();
    await this.#streams.close();
  }

  #mustRun(what: string): void {
    if (!isRunning(this.#state)) throw new ContainerError('not-running', `${what}: Container ${this.id} is not running`);
  }

  #record(): ContainerRecord {
    const record = readRecord(this.#setting.places, this.id);
    if (record === undefined) throw noSuchContainer(this.id);
    return record;
  }

  #write(changes: Partial<ContainerState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#keep();
  }

  /** On a disk that is full it is written as soon as there is room: a container must be able to end, and to be removed, all the same. */
  #keep(): void {
    clearTimeout(this.#late);
    try {
      writeState(this.#setting.places, this.id, this.#state);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#setting.warn(`the state of ${this.id}: ${messageOf(error)}`);
      this.#late = setTimeout(() => this.#keepIfThere(), LATE_MS).unref();
    }
  }

  #keepIfThere(): void {
    try {
      this.#keep();
    } catch (error) {
      this.#setting.warn(`the state of ${this.id}: ${messageOf(error)}`);
    }
  }
}

async function happensWithin(event: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const result = await Promise.race([event.then(() => true), late]);
  clearTimeout(timer);
  return result;
}
