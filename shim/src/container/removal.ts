/** Taking a container away that does not run: by the supervisor, or by the front where no supervisor lives. */

import { releaseLease } from '../../../imagetool/src/store/leases.ts';
import type { Store } from '../../../imagetool/src/store/store.ts';
import { disconnectUserNetwork } from '../rootless/user-network.ts';
import { readVolume, removeVolume } from '../volume/volumes.ts';
import { containerIds, readRecord, removeContainerFiles } from './containers.ts';
import { recordContainerEvent, recordEvent } from './events.ts';
import { containerPlaces, type Places } from './places.ts';
import type { ContainerRecord } from './record.ts';
import { removeRootfs } from './rootfs.ts';

export interface RemovalOptions {
  readonly store: Store;
  readonly places: Places;
  /** Also its anonymous volumes. */
  readonly volumes: boolean;
}

/** The order: what a half removed container could not be started without goes last, its name with it. */
export function removeStopped(record: ContainerRecord, { store, places, volumes }: RemovalOptions): void {
  disconnectUserNetwork(store.sys, containerPlaces(places, record.Id).directory);
  removeRootfs(store, record.Id);
  removeContainerFiles(places, record.Id);
  releaseLease(store.layout, containerLease(record.Id));
  if (volumes) removeAnonymousVolumes(places, record);
  recordContainerEvent(places, record, 'destroy');
}

/** What is left of a container whose record cannot be read. */
export function removeBroken(id: string, name: string, { store, places }: Omit<RemovalOptions, 'volumes'>): void {
  removeRootfs(store, id);
  removeContainerFiles(places, id, name);
  releaseLease(store.layout, containerLease(id));
}

/** Keeps the image's blobs, from which a commit is made, for as long as the container is there. */
export function containerLease(id: string): string {
  return `container-${id}`;
}

function removeAnonymousVolumes(places: Places, record: ContainerRecord): void {
  const others = usedVolumes(places);
  for (const { Name, Anonymous } of record.Mounts) {
    if (Name === undefined || Anonymous !== true || others.has(Name) || readVolume(places, Name) === undefined) continue;
    removeVolume(places, Name);
    recordEvent(places, 'volume', 'destroy', { ID: Name, Attributes: { driver: 'local' } });
  }
}

/** Names of the volumes that containers have. */
export function usedVolumes(places: Places): Set<string> {
  const records = containerIds(places).flatMap((id) => readRecord(places, id) ?? []);
  return new Set(records.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => (Name === undefined ? [] : [Name]))));
}
