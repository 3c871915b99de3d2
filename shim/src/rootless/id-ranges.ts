/** Ids that /etc/subuid and /etc/subgid give to a user (subuid(5)): those of containers' users, where their root is the user. */

export interface IdRange {
  /** The first id, in the user namespace. */
  readonly inside: number;
  /** The same id outside of it. */
  readonly outside: number;
  readonly size: number;
}

/**
 * The user's own id as root's, and after it all ranges that the file gives, one after the other. Only the first where it gives none.
 * @param text of the file; lines that are none of it are passed over, as newuidmap(1) does it
 * @param names the user's name, and the id as a number
 */
export function idRanges(text: string, own: number, names: readonly string[]): IdRange[] {
  const ranges: IdRange[] = [{ inside: 0, outside: own, size: 1 }];
  let next = 1;
  for (const line of text.split('\n')) {
    const [name = '', first = '', count = ''] = line.trim().split(':');
    if (!names.includes(name) || !/^[1-9]\d*$/.test(first) || !/^[1-9]\d*$/.test(count)) continue;
    ranges.push({ inside: next, outside: Number(first), size: Number(count) });
    next += Number(count);
  }
  return ranges;
}

/** As newuidmap(1) takes them after the process id. */
export function mapWords(ranges: readonly IdRange[]): string[] {
  return ranges.flatMap(({ inside, outside, size }) => [inside, outside, size].map(String));
}
