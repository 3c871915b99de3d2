/** The containers on disk: making, finding, renaming, removing their files. */

import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerError, invalid, noSuchContainer } from './errors.ts';
import { hasErrorCode, isMissing, readText, replaceText } from './files.ts';
import { isContainerName, randomName } from './names.ts';
import { containerPlaces, type Places } from './places.ts';
import { processStartTime } from './processes.ts';
import { type ContainerRecord, type ContainerState, isRunning, NEW_STATE } from './record.ts';

export interface Container {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
}

/** The exit code of a process whose end nobody saw: the machine, or the shim, went down with it. */
const UNSEEN_EXIT_CODE = 255;

/**
 * Takes a name for an id; `undefined` takes a random one. The link is the lock: whoever makes it has the name.
 * @throws ContainerError conflict, invalid
 */
export function claimName(places: Places, name: string | undefined, id: string): string {
  mkdirSync(places.names, { recursive: true });
  if (name !== undefined) {
    if (!isContainerName(name)) {
      throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
    }
    if (!tryClaim(places, name, id)) throw nameConflict(places, name);
    return name;
  }
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const drawn = randomName(attempt);
    if (tryClaim(places, drawn, id)) return drawn;
  }
  const last = id.slice(0, 12);
  if (!tryClaim(places, last, id)) throw nameConflict(places, last);
  return last;
}

function tryClaim(places: Places, name: string, id: string): boolean {
  const path = join(places.names, name);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      symlinkSync(id, path);
      return true;
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
      // A creator that was killed between claiming and recording left a name of nothing.
      const owner = ownerOf(places, name);
      if (owner === undefined || isLive(places, owner)) return false;
      unlinkSync(path);
    }
  }
  return false;
}

/** A container's directory exists from before its name is claimed until after the name is given back. */
function isLive(places: Places, id: string): boolean {
  return readText(containerPlaces(places, id).record) !== undefined || isBeingMade(places, id);
}

function isBeingMade(places: Places, id: string): boolean {
  const maker = readText(join(places.containers, id, 'maker'));
  if (maker === undefined) return false;
  const [pid = '', startTime = ''] = maker.split(' ');
  return processStartTime(Number(pid)) === startTime;
}

function ownerOf(places: Places, name: string): string | undefined {
  try {
    return readlinkSync(join(places.names, name));
  } catch (error) {
    if (isMissing(error) || hasErrorCode(error, 'EINVAL')) return undefined;
    throw error;
  }
}

function nameConflict(places: Places, name: string): ContainerError {
  return new ContainerError(
    'conflict',
    `Conflict. The container name "/${name}" is already in use by container "${ownerOf(places, name) ?? ''}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  );
}

/** Makes the container's directory; until the record is written, it is this process that is making it. */
export function beginContainer(places: Places, id: string): void {
  const { directory } = containerPlaces(places, id);
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  replaceText(join(directory, 'maker'), `${process.pid} ${processStartTime(process.pid) ?? ''}`);
}

export function writeRecord(places: Places, record: ContainerRecord): void {
  replaceText(containerPlaces(places, record.Id).record, `${JSON.stringify(record)}\n`, 0o600);
}

export function writeState(places: Places, id: string, state: ContainerState): void {
  replaceText(containerPlaces(places, id).state, `${JSON.stringify(state)}\n`);
}

export function readRecord(places: Places, id: string): ContainerRecord | undefined {
  const text = readText(containerPlaces(places, id).record);
  return text === undefined ? undefined : (JSON.parse(text) as ContainerRecord);
}

/** The state as it was written; `readState` also looks whether it still holds. */
export function writtenState(places: Places, id: string): ContainerState {
  const text = readText(containerPlaces(places, id).state);
  return text === undefined ? NEW_STATE : (JSON.parse(text) as ContainerState);
}

/** The state: a running container whose process is gone, without its supervisor having seen that, has exited. */
export function readState(places: Places, id: string): ContainerState {
  const state = writtenState(places, id);
  if (state.status === 'restarting') return state;
  if (!isRunning(state) || processStartTime(state.pid) === state.pidStartTime) return state;
  // The supervisor has not written down the end yet, but will.
  if (state.supervisor !== undefined && processStartTime(state.supervisor.pid) === state.supervisor.startTime) return state;
  const again = writtenState(places, id);
  if (!isRunning(again) || again.pid !== state.pid) return again;
  return { ...state, status: 'exited', pid: 0, exitCode: UNSEEN_EXIT_CODE, endpoints: [] };
}

export function readContainer(places: Places, id: string): Container | undefined {
  const record = readRecord(places, id);
  return record === undefined ? undefined : { record, state: readState(places, id) };
}

/** All containers, the newest first. */
export function listContainers(places: Places): Container[] {
  return containerIds(places)
    .flatMap((id) => readContainer(places, id) ?? [])
    .sort((a, b) => Number(a.record.Created < b.record.Created) - Number(a.record.Created > b.record.Created));
}

export function containerIds(places: Places): string[] {
  try {
    return readdirSync(places.containers);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The id that a user means: a whole id, a name, or the beginning of one id. @throws ContainerError no-such-container, ambiguous */
export function findId(places: Places, text: string): string {
  const name = text.replace(/^\//, '');
  if (/^[a-f0-9]{64}$/.test(name) && readText(containerPlaces(places, name).record) !== undefined) return name;
  const owner = isContainerName(name) ? ownerOf(places, name) : undefined;
  if (owner !== undefined) return owner;
  const matches = /^[a-f0-9]+$/.test(name) ? containerIds(places).filter((id) => id.startsWith(name)) : [];
  if (matches.length > 1) throw new ContainerError('ambiguous', `multiple IDs found with provided prefix: ${text}`);
  const [only] = matches;
  if (only === undefined) throw noSuchContainer(text);
  return only;
}

/** @throws ContainerError no-such-container, ambiguous */
export function findContainer(places: Places, text: string): Container {
  const container = readContainer(places, findId(places, text));
  if (container === undefined) throw noSuchContainer(text);
  return container;
}

/** @throws ContainerError conflict, invalid */
export function renameContainer(places: Places, record: ContainerRecord, name: string): ContainerRecord {
  const old = record.Name;
  claimName(places, name, record.Id);
  const renamed = { ...record, Name: name };
  writeRecord(places, renamed);
  rmSync(join(places.names, old), { force: true });
  return renamed;
}

/** Gives the name back and removes the directory: first out of sight, so that a crash in between leaves no half container. */
export function removeContainerFiles(places: Places, id: string): void {
  const record = readRecord(places, id);
  const { directory } = containerPlaces(places, id);
  const doomed = join(places.root, `.removing-${id}`);
  try {
    renameSync(directory, doomed);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (record !== undefined && ownerOf(places, record.Name) === id) rmSync(join(places.names, record.Name), { force: true });
  rmSync(doomed, { recursive: true, force: true });
}
