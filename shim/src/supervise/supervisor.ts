/** All containers of a data root that run, or wait for their restart. */

import { parseSignal } from '../../../runtime/src/linux/signals.ts';
import type { AttachOutput, AttachRequest } from '../../../specs/tsctl/service.ts';
import { containerIds, readRecord, writeRecord, writeState, writtenState } from '../container/containers.ts';
import { ContainerError, noSuchContainer } from '../container/errors.ts';
import { messageOf } from '../container/files.ts';
import { containerPlaces } from '../container/places.ts';
import { processStartTime } from '../container/processes.ts';
import { type ContainerRecord, isRunning } from '../container/record.ts';
import { removeStopped } from '../container/removal.ts';
import { attachAnother, detachNetworks, detachOne } from '../network/attach.ts';
import { findNetwork } from '../network/networks.ts';
import { disconnectUserNetwork } from '../rootless/user-network.ts';
import { Attachment } from './attachment.ts';
import { deleteTask, ownsNetwork } from './bring-up.ts';
import type { Setting } from './setting.ts';
import type { OutputStream } from './streams.ts';
import { Supervised } from './supervised.ts';

const SIGKILL = 9;
const DEFAULT_STOP_SECONDS = 10;

export interface StopOptions {
  /** 0: the container's own. */
  readonly signal: number;
  /** Seconds; negative: never kill. Undefined: the container's own. */
  readonly timeout: number | undefined;
}

export class Supervisor {
  readonly #setting: Setting;
  readonly #active = new Map<string, Supervised>();
  readonly #removing = new Map<string, Promise<void>>();
  #sessions = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** Takes up what an earlier shim has left: containers that still run are watched on, what is left of others is cleared away. */
  async recover(): Promise<void> {
    const { places, tasks, warn } = this.#setting;
    for (const id of containerIds(places)) {
      const record = readRecord(places, id);
      const state = writtenState(places, id);
      if (record === undefined || !(isRunning(state) || state.status === 'restarting')) continue;
      const lives = isRunning(state) && processStartTime(state.pid) === state.pidStartTime;
      const hasTask =
        lives &&
        (await tasks.State({ id }).then(
          () => true,
          () => false,
        ));
      if (hasTask)
        await this.#supervised(record)
          .adopt()
          .catch((error) => warn(`taking up ${record.Name}: ${messageOf(error)}`));
      else await this.#bury(record);
    }
  }

  /** A container whose end, or whose shim's end, nobody saw. */
  async #bury(record: ContainerRecord): Promise<void> {
    const { places, cni, warn } = this.#setting;
    await deleteTask(this.#setting, record.Id);
    disconnectUserNetwork(this.#setting.sys, containerPlaces(places, record.Id).directory);
    await detachNetworks(cni, record.Id, '').catch((error) => warn(messageOf(error)));
    const state = writtenState(places, record.Id);
    writeState(places, record.Id, {
      ...state,
      status: 'exited',
      pid: 0,
      exitCode: 255,
      endpoints: [],
      finishedAt: new Date().toISOString(),
    });
    if (record.HostConfig.AutoRemove) this.#remove(record, true);
  }

  get hasWork(): boolean {
    return this.#active.size > 0 || this.#removing.size > 0;
  }

  /** @throws ContainerError */
  async start(id: string): Promise<number> {
    const supervised = this.#supervised(this.#record(id));
    try {
      return await supervised.start();
    } catch (error) {
      this.#forgetIfIdle(id, supervised);
      throw error;
    }
  }

  async *attach(request: AttachRequest, signal: AbortSignal): AsyncGenerator<AttachOutput> {
    const supervised = this.#supervised(this.#record(request.id));
    this.#sessions += 1;
    const wants = new Set<OutputStream>((['stdout', 'stderr'] as const).filter((stream) => request[stream]));
    const attachment = new Attachment(this.#sessions, wants, request.stdin);
    attachment.message({ session: attachment.session });
    supervised.attach(attachment);
    if (request.start) {
      const size = request.rows > 0 ? { rows: request.rows, columns: request.columns } : undefined;
      try {
        await supervised.start(size);
      } catch (error) {
        attachment.onEnd();
        this.#forgetIfIdle(request.id, supervised);
        throw error;
      }
      attachment.message({ started: true });
    } else if (!supervised.isActive) {
      attachment.message({ exit: { code: supervised.state.exitCode } });
      attachment.end();
      this.#forgetIfIdle(request.id, supervised);
    }
    yield* attachment.messages(signal);
  }

  async input(containerId: string, data: Uint8Array, end: boolean): Promise<void> {
    const supervised = this.#active.get(containerId);
    if (supervised === undefined) return;
    if (data.length > 0) await supervised.input(data);
    if (end) await supervised.endInput();
  }

  async stop(containerId: string, { signal, timeout }: StopOptions): Promise<void> {
    const { Config } = this.#record(containerId);
    const seconds = timeout ?? Config.StopTimeout ?? DEFAULT_STOP_SECONDS;
    const supervised = this.#active.get(containerId);
    if (supervised === undefined) {
      const state = writtenState(this.#setting.places, containerId);
      if (!state.stoppedByUser) writeState(this.#setting.places, containerId, { ...state, stoppedByUser: true });
      return;
    }
    await supervised.stop(signal === 0 ? stopSignal(Config.StopSignal) : signal, seconds * 1000);
    await this.#removing.get(containerId);
  }

  async kill(containerId: string, signal: number): Promise<void> {
    const record = this.#record(containerId);
    const supervised = this.#mustBeActive(record, `cannot kill container: ${record.Name}`);
    await supervised.kill(signal, signal === SIGKILL || signal === stopSignal(record.Config.StopSignal));
  }

  async pause(containerId: string): Promise<void> {
    await this.#mustBeActive(this.#record(containerId), 'cannot pause container').pause();
  }

  async unpause(containerId: string): Promise<void> {
    await this.#mustBeActive(this.#record(containerId), 'cannot unpause container').unpause();
  }

  async wait(containerId: string): Promise<number> {
    const supervised = this.#active.get(containerId);
    return supervised === undefined
      ? writtenState(this.#setting.places, this.#record(containerId).Id).exitCode
      : (await supervised.wait()).code;
  }

  /** The kernel has killed a process of it for want of memory. */
  outOfMemory(containerId: string): void {
    this.#active.get(containerId)?.outOfMemory();
  }

  /** @throws ContainerError in-use */
  async remove(containerId: string, options: { readonly force: boolean; readonly volumes: boolean }): Promise<void> {
    const record = this.#record(containerId);
    const supervised = this.#active.get(containerId);
    if (supervised?.isActive === true) {
      if (!options.force) {
        throw new ContainerError(
          'in-use',
          `cannot remove container "/${record.Name}": container is running: stop the container before removing or force remove`,
        );
      }
      await supervised.stop(SIGKILL, -1);
    }
    this.#remove(record, options.volumes);
    await this.#removing.get(containerId);
  }

  #remove(record: ContainerRecord, volumes: boolean): void {
    if (this.#removing.has(record.Id)) return;
    const { store, places, warn, cni } = this.#setting;
    const supervised = this.#active.get(record.Id);
    const work = (async () => {
      await supervised?.close();
      await detachNetworks(cni, record.Id, '').catch((error) => warn(messageOf(error)));
      removeStopped(record, { store, places, volumes });
    })();
    const finished = work
      .catch((error) => warn(`removing ${record.Name}: ${messageOf(error)}`))
      .finally(() => {
        this.#active.delete(record.Id);
        this.#removing.delete(record.Id);
      });
    this.#removing.set(record.Id, finished);
  }

  /** @throws ContainerError */
  async connect(
    containerId: string,
    request: { readonly network: string; readonly aliases: readonly string[]; readonly ip: string },
  ): Promise<void> {
    const { places, cni } = this.#setting;
    const record = this.#record(containerId);
    const network = findNetwork(places, request.network);
    if (!ownsNetwork(record))
      throw new ContainerError(
        'conflict',
        'container sharing network namespace with another container or host cannot be connected to any other network',
      );
    if (record.Networks.some(({ name }) => name === network.name)) {
      throw new ContainerError('conflict', `endpoint with name ${record.Name} already exists in network ${network.name}`);
    }
    const added = { name: network.name, aliases: [...request.aliases], ...(request.ip === '' ? {} : { ip: request.ip }) };
    const supervised = this.#active.get(containerId);
    if (supervised !== undefined && isRunning(supervised.state)) {
      const { state } = supervised;
      const endpoint = await attachAnother(
        places,
        cni,
        { containerId, pid: state.pid, networks: [added], ports: {} },
        record.Networks.length,
      );
      if (endpoint !== undefined) supervised.setEndpoints([...state.endpoints, endpoint]);
    }
    writeRecord(places, { ...record, Networks: [...record.Networks, added] });
  }

  async disconnect(containerId: string, name: string): Promise<void> {
    const { places, cni } = this.#setting;
    const record = this.#record(containerId);
    const network = findNetwork(places, name);
    if (!record.Networks.some((one) => one.name === network.name)) {
      throw new ContainerError('conflict', `container ${record.Name} is not connected to network ${network.name}`);
    }
    writeRecord(places, { ...record, Networks: record.Networks.filter((one) => one.name !== network.name) });
    const supervised = this.#active.get(containerId);
    if (supervised === undefined) return;
    await detachOne(cni, containerId, supervised.state.pid, network);
    supervised.setEndpoints(supervised.state.endpoints.filter((one) => one.network !== network.name));
  }

  #supervised(record: ContainerRecord): Supervised {
    const known = this.#active.get(record.Id);
    if (known !== undefined) return known;
    const supervised = new Supervised(this.#setting, record, (last) => this.#gone(supervised, last));
    this.#active.set(record.Id, supervised);
    return supervised;
  }

  /** With --rm the container goes before its clients hear of its end. */
  async #gone(supervised: Supervised, record: ContainerRecord): Promise<void> {
    if (!record.HostConfig.AutoRemove) {
      this.#forgetIfIdle(record.Id, supervised);
      return;
    }
    this.#remove(record, true);
    await this.#removing.get(record.Id);
  }

  #forgetIfIdle(containerId: string, supervised: Supervised): void {
    if (supervised.isActive || this.#active.get(containerId) !== supervised) return;
    this.#active.delete(containerId);
    supervised.close().catch((error) => this.#setting.warn(messageOf(error)));
  }

  #mustBeActive(record: ContainerRecord, what: string): Supervised {
    const supervised = this.#active.get(record.Id);
    if (supervised === undefined) throw new ContainerError('not-running', `${what}: Container ${record.Id} is not running`);
    return supervised;
  }

  #record(containerId: string): ContainerRecord {
    const record = readRecord(this.#setting.places, containerId);
    if (record === undefined) throw noSuchContainer(containerId);
    return record;
  }
}

const SIGTERM = 15;

function stopSignal(name: string | undefined): number {
  return name === undefined || name === '' ? SIGTERM : (parseSignal(name) ?? SIGTERM);
}
