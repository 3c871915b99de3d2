import { joinPaths } from '../../../../specs/json/json-path.ts';
import type { Problem } from '../../../../specs/schema/problem.ts';
import { unlessWrong } from '../wrong-parts.ts';

/** Says that something breaks the rule: where, relative to the subject; what stands there; and what must be, as a predicate for the place. */
export type Report = (path: string, value: unknown, message: string) => void;

/**
 * One thing that must hold in a document. What it reads has its type: a rule that meets a part that has not is broken off there, and says no more about
 * the item or the document that the part is in, since it would only tell of consequences. Whether breaking it is an error or a warning is the list's business that the
 * rule stands in.
 */
export interface Rule<T> {
  /** Stable name, for people who search and for tests. */
  readonly id: string;
  /** The section of the specification that says so, or the manual page. */
  readonly reference: string;
  readonly check: (subject: T, report: Report) => void;
}

/** What breaks the rules, in the order of the list. `prefix` is the path of the subject within its document. */
export function applyRules<T>(rules: readonly Rule<T>[], subject: T, prefix = ''): Problem[] {
  const problems: Problem[] = [];
  for (const { id, reference, check } of rules) {
    const report: Report = (path, value, message) => problems.push({ rule: id, path: joinPaths(prefix, path), value, message, reference });
    unlessWrong(() => check(subject, report));
  }
  return problems;
}

/** Checks each item of the array that stands at `path`; what `check` reports is relative to the item. */
export function checkItems<T>(
  items: readonly T[] | undefined,
  path: string,
  report: Report,
  check: (item: T, reportItem: Report) => void,
): void {
  if (items === undefined) return;
  let index = 0;
  // One function for all items, and a path only for those that have a problem: most rules find none.
  const reportItem: Report = (below, value, message) => report(joinPaths(`${path}[${index}]`, below), value, message);
  const checkItem = (): void => check(items[index] as T, reportItem);
  for (; index < items.length; index++) unlessWrong(checkItem);
}

/** Whether the path is absolute in the sense of POSIX. */
export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}
