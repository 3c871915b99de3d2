/** Commands that need root, or to be root of a user namespace: for other users they run once more, there. */

import type { Context } from './command.ts';

/** The exit code of the command where it has run once more; undefined where it may go on in this process. */
export async function asNamespaceRoot(context: Context): Promise<number | undefined> {
  if (process.geteuid?.() === 0) return undefined;
  const { runInUserNamespace } = await import('../build/rootless/enter.ts');
  const { layout, sys } = await context.store();
  // Root's own store is elsewhere.
  const args = [...process.argv.slice(2), `--root=${layout.root}`];
  return runInUserNamespace({ sys, args, env: context.env, note: (text) => context.note(text) });
}
