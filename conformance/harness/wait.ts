import { setTimeout } from 'node:timers/promises';

const TIMEOUT_MS = 10_000;

/** Waits until a condition holds; `what` is what was waited for in vain. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = TIMEOUT_MS): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await condition()); await setTimeout(20)) {
    if (Date.now() > deadline) throw new Error(`not so after ${timeoutMs / 1000} s: ${what}`);
  }
}
