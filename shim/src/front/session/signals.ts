/** Signals that come to tsctl while it stands for a container, sent on to it. */

import { SIGNAL_NUMBERS } from '../../../../runtime/src/linux/signals.ts';

/** Those that say something about tsctl itself, or that nobody can catch, stay here. */
const FORWARDED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGCONT'] as const;

/** Returns the function that ends it. */
export function forwardSignals(send: (signal: number) => Promise<unknown>): () => void {
  const listeners = FORWARDED.map((name) => {
    const number = SIGNAL_NUMBERS[name.slice(3)] ?? 0;
    // The container may have ended just now; then its exit code is on its way.
    const listener = () => {
      send(number).catch(() => undefined);
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener);
  };
}

/** Calls back now and whenever the terminal's size changes. Returns the function that ends it. */
export function watchSize(resized: (size: { readonly rows: number; readonly columns: number }) => void): () => void {
  const { stdout } = process;
  const tell = () => {
    if (stdout.isTTY) resized({ rows: stdout.rows, columns: stdout.columns });
  };
  stdout.on('resize', tell);
  tell();
  return () => stdout.off('resize', tell);
}
