/** passwd(5), strictly: a line that is not one is nobody's. */

const FIELDS = 7;
const UID = 2;
const HOME = 5;
const ID = /^(0|[1-9]\d{0,9})$/;

/** The home directory of the first user with this id; undefined when there is none, or none that is a path. */
export function homeDirectory(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    const id = fields[UID] ?? '';
    if (fields.length !== FIELDS || !ID.test(id) || Number(id) !== uid) continue;
    const home = fields[HOME] ?? '';
    return home.startsWith('/') && !home.includes('\0') ? home : undefined;
  }
  return undefined;
}
