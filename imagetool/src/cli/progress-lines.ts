/** Progress for people without a terminal: one line when a transfer starts and one when it has ended, as docker's do. */

import { shortDigest } from '../digest/digest.ts';
import type { ProgressEvent, ProgressListener } from '../image/progress.ts';
import { formatSize } from './table.ts';

const OUTCOMES = {
  downloaded: 'Download complete',
  exists: 'Already exists',
  uploaded: 'Pushed',
  mounted: 'Mounted from another repository',
} as const;

export function progressLines(write: (line: string) => void): ProgressListener {
  return (event) => {
    const line = lineOf(event);
    if (line !== undefined) write(line);
  };
}

/** One JSON object a line, all events. */
export function progressJson(write: (line: string) => void): ProgressListener {
  return (event) => write(JSON.stringify(event));
}

function lineOf(event: ProgressEvent): string | undefined {
  if (event.kind === 'note') return event.text;
  if (event.kind === 'bytes') return undefined;
  const id = shortDigest(event.digest);
  if (event.kind === 'done') return `${id}: ${OUTCOMES[event.outcome]}`;
  return event.kept > 0 ? `${id}: Going on at ${formatSize(event.kept)} of ${formatSize(event.total)}` : undefined;
}
