/** One task: a container with its init process and those executed in it. What changes it is done one after the other; what only asks is not held up. */
import { killAll } from '../../../runtime/src/cgroups/processes.ts';
import { killAndReap, processStat, SIGKILL } from '../../../runtime/src/linux/processes.ts';
import type { ValidProcess, ValidResources } from '../../../runtime/src/spec/valid.ts';
import { Store } from '../../../runtime/src/state/store.ts';
import { nowInNanoseconds } from '../../../specs/containerd/timestamp.ts';
import { parseJson } from '../../../specs/json/parse-json.ts';
import { messageOf } from '../base/node-error.ts';
import type { TaskEvent } from '../events/publisher.ts';
import { causeOf, isRemarkable } from './cause.ts';
import type { ContainerOptions, ExecOptions } from './container-options.ts';
import { CriuWork, type Restoration } from './criu-work.ts';
import { drain } from './drain.ts';
import type { TaskEnvironment } from './environment.ts';
import { alreadyExists, notFound, statusOf, wrongState } from './errors.ts';
import * as events from './events.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { ArgumentsOf, CreatedContainer, OperationName, Place, ResultOf, RootfsMount } from './operations/operation.ts';
import type { TaskOptions } from './options.ts';
import type { ProcessEnd } from './process-end.ts';
import type { TaskRecord, TaskStore } from './record.ts';
import { Serial } from './serial.ts';
import { type ProcessOptions, type Streams, TaskProcess } from './task-process.ts';

export class Container {
  readonly #environment: TaskEnvironment;
  readonly #store: TaskStore;
  readonly #options: ContainerOptions;
  readonly #place: Place;
  readonly #serial = new Serial();
  readonly init: TaskProcess;
  readonly #execs = new Map<string, TaskProcess>();
  #facts: Pick<CreatedContainer, 'cgroup' | 'outlivesInit'> = { cgroup: undefined, outlivesInit: false };
  #memory: MemoryWatch | undefined;
  /** What the container is to be restored from when it is started. */
  #restoration: Restoration | undefined;
  #processSerial = 0;
  #deleted = false;
  paused = false;

  constructor(environment: TaskEnvironment, store: TaskStore, options: ContainerOptions, init: TaskProcess) {
    this.#environment = environment;
    this.#store = store;
    this.#options = options;
    this.#place = { root: options.root, id: options.id };
    this.init = init;
  }

  get id(): string {
    return this.#options.id;
  }

  get bundle(): string {
    return this.#options.bundle;
  }

  get cgroup(): string | undefined {
    return this.#facts.cgroup;
  }

  get execs(): readonly TaskProcess[] {
    return [...this.#execs.values()];
  }

  /** @param execId '' is the init process @throws StatusError NotFound */
  process(execId: string): TaskProcess {
    const process = execId === '' ? this.init : this.#execs.get(execId);
    if (process === undefined || this.#deleted)
      throw notFound(execId === '' ? `container ${this.id}` : `process ${execId} in container ${this.id}`);
    return process;
  }

  /**
   * Goes on with a container that a shim has left which is gone: its processes are waited for again, its streams opened, and ends that
   * nobody was there to see are published now.
   */
  async adopt(record: TaskRecord): Promise<void> {
    const { cgroup, outlivesInit } = record;
    this.#facts = { cgroup, outlivesInit };
    this.paused = record.paused;
    this.#processSerial = Math.max(...record.processes.map(({ serial }) => serial));
    for (const known of record.processes) {
      const process = known.execId === '' ? this.init : this.#newExec({ ...known, spec: known.spec });
      await process.adopt(known, (end) => this.#processEnded(process, end));
    }
    const { sys } = this.#environment;
    this.#watchMemory();
    const { init } = this;
    if (init.phase === 'created' && init.pendingEnd === undefined && !new Store(sys, this.#options.root).hasGate(this.id)) {
      // The shim was killed between the start and the telling of it.
      init.phase = 'running';
      this.#publish(events.started(this.id, init.pid));
    }
    this.#save();
    this.#settle();
  }

  /** @throws StatusError; nothing is left then, but for the record, which the caller removes */
  create(rootfs: readonly RootfsMount[], options: TaskOptions, checkpoint?: string): Promise<number> {
    const { noPivot, noNewKeyring, systemdCgroup, criuWorkPath } = options;
    return this.#serial.run(async () => {
      if (checkpoint !== undefined) {
        this.#restoration = { checkpoint, rootfs, noPivot, systemdCgroup, workPath: criuWorkPath };
        this.#store.write(this.record());
        this.#publishCreated(rootfs, checkpoint);
        return 0;
      }
      const { bundle } = this.#options;
      const { init } = this;
      init.starting = true;
      this.#store.write(this.record());
      const args = { ...this.#place, bundle, rootfs, noPivot, noNewKeyring, systemdCgroup };
      const created = await init.launch({
        start: (streams: Streams) => this.#run('create', { ...args, ...streams }),
        begun: (facts) => this.#begin(facts, 'created'),
        takeBack: ({ pid }) => this.#takeBack(pid),
      });
      this.#publishCreated(rootfs, '');
      init.starting = false;
      this.#settle();
      return created.pid;
    });
  }

  /** Its init is there. */
  #begin(facts: CreatedContainer, phase: 'created' | 'running'): void {
    const { init } = this;
    this.#facts = facts;
    init.phase = phase;
    init.follow(facts.pid, facts.startTime, (end) => this.#processEnded(init, end));
    this.#watchMemory();
    // A container that another shim could not adopt is no container.
    this.#store.write(this.record());
  }

  #publishCreated(rootfs: readonly RootfsMount[], checkpoint: string): void {
    const { id: containerId, bundle, init } = this;
    this.#publish(events.created({ containerId, bundle, rootfs, io: init.options, checkpoint, pid: init.pid }));
  }

  get #criu(): CriuWork {
    const { bundle } = this.#options;
    const ownWorkPath = `${this.#store.pathOf(this.id)}/criu-work`;
    return new CriuWork({ place: this.#place, bundle, ownWorkPath, run: (name, args) => this.#run(name, args) });
  }

  start(execId: string): Promise<number> {
    const process = this.process(execId);
    return execId === '' ? this.#serial.run(() => this.#startInit()) : this.#startExec(process);
  }

  async #startInit(): Promise<number> {
    const { init } = this;
    this.process('');
    const restoration = init.phase === 'added' ? this.#restoration : undefined;
    if (init.phase !== 'created' && restoration === undefined) throw wrongState(`cannot start a container that is ${init.phase}`);
    init.starting = true;
    try {
      if (restoration === undefined) {
        await this.#run('start', this.#place);
        init.phase = 'running';
        this.#save();
      } else await this.#restore(restoration);
      this.#publish(events.started(this.id, init.pid));
    } catch (error) {
      init.cause = messageOf(error);
      throw error;
    } finally {
      init.starting = false;
      this.#settle();
    }
    return init.pid;
  }

  /** All that there is of a container of a checkpoint before its start is where the checkpoint lies. */
  async #restore(restoration: Restoration): Promise<void> {
    await this.init.launch({
      start: ({ stdio }) => this.#criu.restore(restoration, stdio),
      begun: (facts) => this.#begin(facts, 'running'),
      takeBack: ({ pid }) => this.#takeBack(pid),
    });
  }

  /** CRIU writes the container's processes into a directory; they end there, or go on. */
  checkpoint(options: Parameters<CriuWork['checkpoint']>[0]): Promise<void> {
    return this.#serial.run(async () => {
      this.#mustLive('checkpoint');
      await this.#criu.checkpoint(options);
      this.#publish(events.checkpointed(this.id, options.imagePath));
    });
  }

  /** Beside others: executing two processes at once is no conflict. */
  async #startExec(process: TaskProcess): Promise<number> {
    if (process.phase !== 'added' || process.starting) throw wrongState(`cannot start process ${process.execId} that is ${process.phase}`);
    const { spec } = process.options;
    if (spec === undefined) throw wrongState(`process ${process.execId} cannot be started again`);
    process.starting = true;
    try {
      // It was checked when it was added.
      const parsed = parseJson(spec) as unknown as ValidProcess;
      const pid = await process.launch({
        start: (streams: Streams) => this.#run('exec', { ...this.#place, ...streams, process: parsed }),
        begun: (started) => {
          process.phase = 'running';
          // Nobody but us reaps it, so there is something in procfs.
          const startTime = processStat(this.#environment.sys, started)?.startTime ?? 0;
          process.follow(started, startTime, (end) => this.#processEnded(process, end));
        },
        takeBack: async (started) => killAndReap(this.#environment.sys, started),
      });
      this.#save();
      this.#publish(events.execStarted(this.id, process.execId, pid));
      return pid;
    } finally {
      process.starting = false;
      this.#settle();
    }
  }

  addExec(options: ExecOptions): void {
    this.process('');
    if (this.#execs.has(options.execId)) throw alreadyExists(`process ${options.execId} in container ${this.id}`);
    if (this.init.phase !== 'running') throw wrongState(`cannot exec in a container that is ${this.init.phase}`);
    this.#processSerial++;
    this.#newExec({ ...options, serial: this.#processSerial });
    this.#save();
    this.#publish(events.execAdded(this.id, options.execId));
  }

  #newExec(options: Omit<ProcessOptions, 'containerId' | 'directory' | 'ioOwner'>): TaskProcess {
    const { directory, ioOwner } = this.init.options;
    const process = new TaskProcess(this.#environment, { ...options, containerId: this.id, directory, ioOwner });
    this.#execs.set(options.execId, process);
    return process;
  }

  async kill(execId: string, signal: number, all: boolean): Promise<void> {
    const process = this.process(execId);
    if (process.phase === 'added') throw wrongState(`process ${execId === '' ? this.id : execId} is not created`);
    const whole = execId === '' && (all || (signal === SIGKILL && this.#facts.outlivesInit));
    if (whole) await this.#run('kill', { ...this.#place, signal, all });
    else if (!process.kill(signal)) throw notFound('process already finished');
  }

  pause(): Promise<void> {
    return this.#freeze('pause', events.paused(this.id));
  }

  resume(): Promise<void> {
    return this.#freeze('resume', events.resumed(this.id));
  }

  #freeze(verb: 'pause' | 'resume', event: TaskEvent): Promise<void> {
    return this.#serial.run(async () => {
      this.#mustLive(verb);
      await this.#run(verb, this.#place);
      this.paused = verb === 'pause';
      this.#save();
      this.#publish(event);
    });
  }

  update(resources: ValidResources): Promise<void> {
    return this.#serial.run(async () => {
      this.#mustLive('update');
      await this.#run('update', { ...this.#place, resources });
    });
  }

  /** Returns the init process's end. */
  delete(): Promise<ProcessEnd> {
    return this.#serial.run(async () => {
      const { init } = this;
      this.process('');
      if (this.paused && init.end === undefined) throw wrongState(`cannot delete a paused process: container ${this.id}`);
      if (init.phase === 'running') throw wrongState(`cannot delete a running process: container ${this.id}`);
      const processes = [init, ...this.#execs.values()];
      if (init.phase === 'stopped') await drain(processes);
      await this.#run('delete', { ...this.#place, force: false, rootfs: this.#mountedRootfs });
      // Of a checkpoint that was never restored, nothing has run.
      if (init.phase === 'added') init.finish({ status: 0, signal: undefined, at: nowInNanoseconds() }, undefined);
      const end = await init.ended;
      await Promise.all(processes.map((process) => process.close()));
      for (const process of processes) process.forget();
      this.#memory?.close();
      this.#deleted = true;
      this.#store.remove(this.id);
      this.#publish(events.deleted(this.id, init.pid, end));
      return end;
    });
  }

  /** Returns the end of the exec; undefined when it was never started. */
  async deleteExec(execId: string): Promise<ProcessEnd | undefined> {
    const process = this.process(execId);
    if (process.phase === 'running' || process.starting) throw wrongState(`cannot delete a running process: ${execId}`);
    await drain([process]);
    await process.close();
    process.forget();
    this.#execs.delete(execId);
    if (!this.#deleted) this.#save();
    return process.end;
  }

  closeStdin(execId: string): void {
    this.process(execId).closeStdin();
    this.#save();
  }

  /** It was never created, or its shim ends: what is open here is closed, and the container is left as it is. */
  async abandon(): Promise<void> {
    this.#memory?.close();
    this.#memory = undefined;
    await Promise.all([this.init, ...this.#execs.values()].map((process) => process.close()));
  }

  /** A container whose streams could not be had. */
  async #takeBack(pid: number): Promise<void> {
    await this.#run('delete', { ...this.#place, force: true, rootfs: this.#mountedRootfs });
    killAndReap(this.#environment.sys, pid);
  }

  get #mountedRootfs(): string | undefined {
    return this.#options.mounted ? `${this.bundle}/rootfs` : undefined;
  }

  #mustLive(verb: string): void {
    const { phase } = this.process('');
    if (phase !== 'running' && phase !== 'created') throw wrongState(`cannot ${verb} a container that is ${phase}`);
  }

  async #run<Name extends OperationName>(name: Name, args: ArgumentsOf<Name>): Promise<ResultOf<Name>> {
    try {
      return await this.#environment.operator.run(name, args);
    } catch (error) {
      throw statusOf(name, error);
    }
  }

  #processEnded(process: TaskProcess, end: ProcessEnd): void {
    process.pendingEnd = end;
    this.#settle();
  }

  /** Publishes the ends that can be published: after the start of the process, and the init's last of all. */
  #settle(): void {
    for (const process of this.#execs.values()) if (!process.starting) this.#finish(process, process.execId);
    if (this.init.starting || this.init.pendingEnd === undefined) return;
    const others = [...this.#execs.values()].filter(({ phase, starting }) => phase === 'running' || starting);
    if (others.length === 0) this.#finish(this.init, this.id);
    else if (this.#facts.outlivesInit && this.cgroup !== undefined) killAll(this.#environment.sys, this.cgroup, SIGKILL);
  }

  #finish(process: TaskProcess, name: string): void {
    const end = process.pendingEnd;
    if (end === undefined) return;
    const outOfMemory = this.#memory?.look() === true;
    process.finish(end, process.cause ?? causeOf(end, outOfMemory ? this.cgroup : undefined));
    if (isRemarkable(end, outOfMemory)) {
      this.#environment.warn(`container ${this.id}: process ${name} (${process.pid}): ${process.cause}`);
    }
    this.#save();
    this.#publish(events.exited(this.id, name, process.pid, end));
  }

  #watchMemory(): void {
    const { sys, poller } = this.#environment;
    if (this.cgroup === undefined) return;
    this.#memory = MemoryWatch.open(sys, poller, this.cgroup, () => this.#publish(events.outOfMemory(this.id)));
  }

  #publish(event: TaskEvent): void {
    this.#environment.publisher.publish(event);
  }

  /** A full disk does not undo what has happened. */
  #save(): void {
    try {
      this.#store.write(this.record());
    } catch (error) {
      this.#environment.warn(`container ${this.id}: its record cannot be written: ${messageOf(error)}`);
    }
  }

  record(): TaskRecord {
    const { id, bundle, root, mounted } = this.#options;
    const { cgroup, outlivesInit } = this.#facts;
    const { ioOwner } = this.init.options;
    return {
      ...{ version: 1, id, bundle, root, mounted, outlivesInit, paused: this.paused },
      ...(cgroup === undefined ? {} : { cgroup }),
      ...(ioOwner === undefined ? {} : { ioOwner }),
      processes: [this.init, ...this.#execs.values()].map((process) => process.record()),
    };
  }
}
