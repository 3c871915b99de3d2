/** Waiting for the output of processes that have ended. */
import { within } from '../base/within.ts';
import type { TaskProcess } from './task-process.ts';

/** How long output may take to get where it goes, after its process has ended. */
const DRAIN_MS = 10_000;

export async function drain(processes: readonly TaskProcess[]): Promise<void> {
  await within(Promise.all(processes.map((process) => process.drained)), DRAIN_MS);
}
