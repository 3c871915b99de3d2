/** SIGINT and SIGTERM end a command in good order; a second one ends it at once. */

import { constants } from 'node:os';
import { ImageError } from '../base/errors.ts';

/** Runs `body` with a signal that is aborted by the first of them. */
export async function withSignals<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: 'SIGINT' | 'SIGTERM'): void => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    controller.abort(new ImageError('interrupted', `stopped by ${name}`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await body(controller.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
