/** How flags are written down in the grammars of commands. */

import type { Flag } from '../cli/flags.ts';

/** One that is on or off. */
export const flag = (name: string, help: string, short?: string): Flag => ({
  name,
  kind: 'boolean',
  help,
  ...(short === undefined ? {} : { short }),
});

/** One with a value of that kind. */
export const of = (kind: Flag['kind'], name: string, help: string, more: Partial<Flag> = {}): Flag => ({ name, kind, help, ...more });
