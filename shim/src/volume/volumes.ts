/** Volumes: directories that outlive containers. `volumes/NAME/_data` is the directory, `volumes/NAME/volume.json` says whose and since when. */

import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerError } from '../container/errors.ts';
import { isMissing, readText, replaceText } from '../container/files.ts';
import { newId } from '../container/new-id.ts';
import type { Places } from '../container/places.ts';
import { checkedName } from './mount-spec.ts';

export interface Volume {
  readonly name: string;
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** Nobody named it. */
  readonly anonymous: boolean;
  /** The directory. */
  readonly path: string;
}

export interface VolumeOptions {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly driver?: string;
}

/** Makes a volume; one of that name that is there already is returned as it is, with `isNew` false. @throws ContainerError invalid, unsupported */
export function ensureVolume(places: Places, options: VolumeOptions): { readonly volume: Volume; readonly isNew: boolean } {
  const name = options.name === undefined ? newId() : checkedName(options.name);
  if (options.driver !== undefined && options.driver !== 'local') {
    throw new ContainerError('unsupported', `volume driver ${JSON.stringify(options.driver)} is not supported`, {
      hint: 'There is local.',
    });
  }
  const directory = join(places.volumes, name);
  const existing = readVolume(places, name);
  if (existing !== undefined) return { volume: existing, isNew: false };
  mkdirSync(places.volumes, { recursive: true, mode: 0o711 });
  const volume = {
    name,
    created: new Date().toISOString(),
    labels: options.labels ?? {},
    options: options.options ?? {},
    anonymous: options.name === undefined,
  };
  // Whole or not at all: of two who make the same volume, one moves it into place.
  const temporary = join(places.volumes, `.new-${process.pid}-${newId().slice(0, 12)}`);
  mkdirSync(join(temporary, '_data'), { recursive: true });
  replaceText(join(temporary, 'volume.json'), `${JSON.stringify(volume)}\n`);
  try {
    renameSync(temporary, directory);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    const other = readVolume(places, name);
    if (other !== undefined) return { volume: other, isNew: false };
    throw error;
  }
  return { volume: { ...volume, path: join(directory, '_data') }, isNew: true };
}

export function readVolume(places: Places, name: string): Volume | undefined {
  const text = readText(join(places.volumes, name, 'volume.json'));
  if (text === undefined) return undefined;
  return { ...(JSON.parse(text) as Omit<Volume, 'path'>), path: join(places.volumes, name, '_data') };
}

export function listVolumes(places: Places): Volume[] {
  try {
    return readdirSync(places.volumes)
      .filter((name) => !name.startsWith('.'))
      .sort()
      .flatMap((name) => readVolume(places, name) ?? []);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** @throws ContainerError no-such-volume */
export function findVolume(places: Places, name: string): Volume {
  const volume = /[/\0]|^\./.test(name) ? undefined : readVolume(places, name);
  if (volume === undefined) {
    throw new ContainerError('no-such-volume', `get ${name}: no such volume`, { hint: 'tsctl volume ls lists what is there.' });
  }
  return volume;
}

/** Out of sight first: a crash leaves no half volume under the name. */
export function removeVolume(places: Places, name: string): void {
  const doomed = join(places.volumes, `.removing-${name}`);
  try {
    renameSync(join(places.volumes, name), doomed);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  rmSync(doomed, { recursive: true, force: true });
}

/** Whether a directory may still be filled from the image: it is there and holds nothing. */
export function isEmptyVolume(volume: Volume): boolean {
  return readdirSync(volume.path).length === 0;
}

/** What a tree takes on disk, in bytes. Files that vanish meanwhile do not count. */
export function diskUsage(path: string): number {
  try {
    const status = lstatSync(path);
    const own = status.blocks * 512;
    return status.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + diskUsage(join(path, name)), own) : own;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
