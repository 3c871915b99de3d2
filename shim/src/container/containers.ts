/** The containers on disk: making, finding, renaming, removing their files. */

import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isContainerName } from './container-name.ts';
import { containerReader } from './container-reader.ts';
import { ContainerError, invalid } from './errors.ts';
import { hasErrorCode, isMissing, readText, replaceText } from './files.ts';
import { randomName } from './names.ts';
import { nodeFolderReader } from './node-folder-reader.ts';
import { containerPlaces, type Places } from './places.ts';
import { processStartTime } from './processes.ts';
import type { ContainerRecord, ContainerState } from './record.ts';

export type { Container } from './container-reader.ts';

export const nodeContainerReader = containerReader(nodeFolderReader);
export const { readRecord, writtenState, readState, readContainer, listContainers, containerIds, findId, findContainer } =
  nodeContainerReader;
const { ownerOf } = nodeContainerReader;

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
export function removeContainerFiles(places: Places, id: string, name = readRecord(places, id)?.Name): void {
  const { directory } = containerPlaces(places, id);
  const doomed = join(places.root, `.removing-${id}`);
  try {
    renameSync(directory, doomed);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (name !== undefined && isContainerName(name) && ownerOf(places, name) === id) rmSync(join(places.names, name), { force: true });
  rmSync(doomed, { recursive: true, force: true });
}
