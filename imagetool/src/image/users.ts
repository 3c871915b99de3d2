/** Users and groups of an image: passwd(5) and group(5) text. */

import { ImageError } from '../base/errors.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** From passwd, where the user is there. */
  readonly home?: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const MAX_ID = 0xfffffffe;

/**
 * What `user[:group]` of an image configuration means there, names or numbers (image-spec, config.md; conversion.md). A number needs no entry;
 * a name without one is an error: running as somebody else instead would be worse. Supplementary groups come with a user's name alone.
 */
export function resolveUser(text: string, files: { readonly passwd: string; readonly group: string }): ResolvedUser {
  const [userText = '', groupText] = text === '' ? ['0'] : splitOnce(text, ':');
  const passwd = parsePasswd(files.passwd);
  const number = idOf(userText);
  const entry = number === undefined ? passwd.find((one) => one.name === userText) : passwd.find((one) => one.uid === number);
  const uid = entry?.uid ?? number;
  if (uid === undefined) throw new ImageError('user', `the image has no user ${JSON.stringify(userText)} in /etc/passwd`);
  const home = entry === undefined ? {} : { home: entry.home };
  if (groupText !== undefined && groupText !== '') return { uid, gid: groupId(groupText, files.group), additionalGids: [], ...home };
  const isNamed = number === undefined || text === '';
  return { uid, gid: entry?.gid ?? 0, additionalGids: isNamed && entry !== undefined ? groupsOf(entry, files.group) : [], ...home };
}

function groupId(text: string, group: string): number {
  const number = idOf(text);
  const found = lines(group).find(([name]) => name === text)?.[2];
  const gid = found === undefined ? number : idOf(found);
  if (gid === undefined) throw new ImageError('user', `the image has no group ${JSON.stringify(text)} in /etc/group`);
  return gid;
}

function groupsOf(user: PasswdEntry, group: string): number[] {
  const ids = lines(group).flatMap(([, , id = '', members = '']) => {
    const gid = idOf(id);
    return gid !== undefined && gid !== user.gid && members.split(',').includes(user.name) ? [gid] : [];
  });
  return [...new Set(ids)].sort((a, b) => a - b);
}

function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).flatMap(([name = '', , uidText = '', gidText = '', , home = '']) => {
    const [uid, gid] = [idOf(uidText), idOf(gidText)];
    return uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home }];
  });
}

function lines(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

function idOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined;
}

function splitOnce(text: string, separator: string): [string] | [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
