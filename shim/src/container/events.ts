/** What has happened, a line of JSON an event, appended by whoever did it: that needs no daemon, and `events --since` finds the past. */

import { appendFileSync, renameSync, statSync } from 'node:fs';
import { isDiskFull, isMissing } from './files.ts';
import type { Places } from './places.ts';
import type { ContainerRecord } from './record.ts';

export interface ContainerEvent {
  readonly Type: 'container' | 'image' | 'network' | 'volume';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  /** Seconds and nanoseconds since 1970, as docker writes them. */
  readonly time: number;
  readonly timeNano: number;
}

/** The file before it is called events.log.1. */
const MAX_BYTES = 4 * 1024 * 1024;

export function recordEvent(places: Places, type: ContainerEvent['Type'], action: string, actor: ContainerEvent['Actor']): void {
  const now = Date.now();
  const event: ContainerEvent = { Type: type, Action: action, Actor: actor, time: Math.floor(now / 1000), timeNano: now * 1e6 };
  // One write with O_APPEND: lines of several processes do not mix.
  try {
    appendFileSync(places.events, `${JSON.stringify(event)}\n`);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
  if (sizeOf(places.events) > MAX_BYTES) renameSync(places.events, `${places.events}.1`);
}

export function recordContainerEvent(
  places: Places,
  record: ContainerRecord,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const Attributes = { image: record.Config.Image, name: record.Name, ...record.Config.Labels, ...attributes };
  recordEvent(places, 'container', action, { ID: record.Id, Attributes });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
