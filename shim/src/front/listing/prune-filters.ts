/** `prune --filter`: what is old enough, and has the labels. */

import { parseTimePoint } from '../../container/time.ts';
import type { Arguments } from '../cli/flags.ts';
import { parseFilters } from '../format/printer.ts';
import { hasLabel } from './container-filters.ts';

export interface Prunable {
  /** RFC 3339; undefined where nobody knows. */
  readonly created: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** @param known of `until`, `label`, `label!`: docker's set differs from one kind to the next. @throws ContainerError invalid */
export function pruneFilter(args: Arguments, known: readonly string[], nowMs = Date.now()): (object: Prunable) => boolean {
  const filters = parseFilters(args.values('filter'), known);
  const until = filters.get('until')?.map((text) => parseTimePoint(text, nowMs)) ?? [];
  const wanted = filters.get('label') ?? [];
  const unwanted = filters.get('label!') ?? [];
  return ({ created, labels }) =>
    until.every((limit) => created !== undefined && Date.parse(created) < limit) &&
    wanted.every((label) => hasLabel(labels, label)) &&
    !unwanted.some((label) => hasLabel(labels, label));
}
