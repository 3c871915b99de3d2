/** Which commands of a user who is not root need the user's namespaces. */

import type { Arguments } from '../cli/flags.ts';

/** They read files of the user's own, or speak with registries: no mount, and no file of a container's users, is needed for it. */
const OUTSIDE: ReadonlySet<string> = new Set([
  ...['ps', 'logs', 'inspect', 'port', 'events', 'version', 'completion', 'images', 'image inspect', 'history', 'tag', 'pull', 'push'],
  ...['search', 'login', 'logout', 'volume ls', 'volume inspect', 'network ls', 'network inspect'],
]);

export function needsNamespaces(command: string, args: Arguments, uid = process.geteuid?.() ?? 0): boolean {
  // Sizes are counted in trees of all users.
  return uid !== 0 && (!OUTSIDE.has(command) || args.flag('size'));
}

/** Where the user called the command: entering a mount namespace leads to its root. */
export const DIRECTORY_VARIABLE = 'TSCTL_DIRECTORY';
