/** Users and groups as the command line names them: by number alone, since names mean something only inside the container. */
import { parseNumber, UsageError } from './args.ts';

/** The highest id; 2^32 - 1 means "unchanged" to the kernel. */
const MAX_ID = 0xfffffffe;

export interface NumericUser {
  readonly uid: number;
  readonly gid: number | undefined;
}

/** `uid[:gid]`, whole and in range: a prefix that is a number must not become somebody else, such as root (CVE-2026-30892). */
export function parseUser(text: string): NumericUser {
  const [uid = '', gid, more] = text.split(':');
  if (more !== undefined) throw new UsageError(`invalid value ${JSON.stringify(text)} for flag --user: it is UID[:GID]`);
  return { uid: parseNumber('flag --user', uid, MAX_ID), gid: gid === undefined ? undefined : parseNumber('flag --user', gid, MAX_ID) };
}

export function parseGroup(text: string): number {
  return parseNumber('flag --additional-gids', text, MAX_ID);
}
