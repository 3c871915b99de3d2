/** What is to be known of a container's own files: its users. Nothing in there is trusted, and no path leads out. */

import { type ResolvedUser, resolveUser } from '../../../imagetool/src/image/users.ts';
import { readFileInRoot } from '../../../imagetool/src/layer/read-file.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ContainerError } from './errors.ts';
import { messageOf } from './files.ts';

/** `user[:group]` and groups to add, names or numbers. @throws ContainerError invalid, in docker's words */
export function userOf(sys: Sys, rootfs: string, user: string, groups: readonly string[]): ResolvedUser {
  const text = (path: string) => readFileInRoot(sys, rootfs, path)?.toString('utf8') ?? '';
  const files = { passwd: text('etc/passwd'), group: text('etc/group') };
  try {
    const resolved = resolveUser(user, files);
    // A group alone is what a user would be in beside the one that is meant.
    const added = groups.map((group) => resolveUser(`0:${group}`, files).gid);
    return { ...resolved, additionalGids: [...new Set([...resolved.additionalGids, ...added])] };
  } catch (error) {
    const [name = '', group] = user.split(':');
    const missing = messageOf(error).includes('group')
      ? `unable to find group ${group ?? groups.join(', ')}`
      : `unable to find user ${name}`;
    throw new ContainerError('invalid', `${missing}: no matching entries in ${missing.includes('group') ? 'group' : 'passwd'} file`, {
      cause: error,
      exitCode: 126,
    });
  }
}
