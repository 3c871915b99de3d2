/** What is known of containers, read from their files; on both engines. */

import { isContainerName } from './container-name.ts';
import { ContainerError, noSuchContainer } from './errors.ts';
import type { FolderReader } from './folder-reader.ts';
import { containerPlaces, type Places } from './places.ts';
import { startTimeIn } from './process-stat.ts';
import { type ContainerRecord, type ContainerState, isRunning, NEW_STATE } from './record.ts';

export interface Container {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
}

export interface ContainerReader {
  readRecord(places: Places, id: string): ContainerRecord | undefined;
  /** The state as it was written; `readState` also looks whether it still holds. */
  writtenState(places: Places, id: string): ContainerState;
  /** The state: a running container whose process is gone, without its supervisor having seen that, has exited. */
  readState(places: Places, id: string): ContainerState;
  readContainer(places: Places, id: string): Container | undefined;
  /** All containers, the newest first. */
  listContainers(places: Places): Container[];
  containerIds(places: Places): string[];
  /** Who has a name; undefined where nobody has it. */
  ownerOf(places: Places, name: string): string | undefined;
  /** The id that a user means: a whole id, a name, or the beginning of one id. @throws ContainerError no-such-container, ambiguous */
  findId(places: Places, text: string): string;
  /** @throws ContainerError no-such-container, ambiguous */
  findContainer(places: Places, text: string): Container;
}

/** The exit code of a process whose end nobody saw: the machine, or the shim, went down with it. */
const UNSEEN_EXIT_CODE = 255;

export function containerReader(files: FolderReader): ContainerReader {
  const startTime = (pid: number) => (pid <= 0 ? undefined : startTimeIn(files.text(`/proc/${pid}/stat`)));

  function readRecord(places: Places, id: string): ContainerRecord | undefined {
    return parsed<ContainerRecord>(files.text(containerPlaces(places, id).record));
  }

  function writtenState(places: Places, id: string): ContainerState {
    return parsed<ContainerState>(files.text(containerPlaces(places, id).state)) ?? NEW_STATE;
  }

  function readState(places: Places, id: string): ContainerState {
    const state = writtenState(places, id);
    if (state.status === 'restarting') return state;
    if (!isRunning(state) || startTime(state.pid) === state.pidStartTime) return state;
    // The supervisor has not written down the end yet, but will.
    if (state.supervisor !== undefined && startTime(state.supervisor.pid) === state.supervisor.startTime) return state;
    const again = writtenState(places, id);
    if (!isRunning(again) || again.pid !== state.pid) return again;
    return { ...state, status: 'exited', pid: 0, exitCode: UNSEEN_EXIT_CODE, endpoints: [] };
  }

  function readContainer(places: Places, id: string): Container | undefined {
    const record = readRecord(places, id);
    return record === undefined ? undefined : { record, state: readState(places, id) };
  }

  const containerIds = (places: Places) => [...files.names(places.containers)].sort();

  function listContainers(places: Places): Container[] {
    return containerIds(places)
      .flatMap((id) => readContainer(places, id) ?? [])
      .sort((a, b) => Number(a.record.Created < b.record.Created) - Number(a.record.Created > b.record.Created));
  }

  const ownerOf = (places: Places, name: string) => files.link(`${places.names}/${name}`);

  function findId(places: Places, text: string): string {
    const name = text.replace(/^\//, '');
    if (/^[a-f0-9]{64}$/.test(name) && files.text(containerPlaces(places, name).record) !== undefined) return name;
    const owner = isContainerName(name) ? ownerOf(places, name) : undefined;
    if (owner !== undefined) return owner;
    const matches = /^[a-f0-9]+$/.test(name) ? containerIds(places).filter((id) => id.startsWith(name)) : [];
    if (matches.length > 1) throw new ContainerError('ambiguous', `multiple IDs found with provided prefix: ${text}`);
    const [only] = matches;
    if (only === undefined) throw noSuchContainer(text);
    return only;
  }

  function findContainer(places: Places, text: string): Container {
    const container = readContainer(places, findId(places, text));
    if (container === undefined) throw noSuchContainer(text);
    return container;
  }

  return { readRecord, writtenState, readState, readContainer, listContainers, containerIds, ownerOf, findId, findContainer };
}

/** Files are replaced whole, but where the machine lost its power one may be empty: it is as if it were not there, and others are not held up by it. */
function parsed<T>(text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}
