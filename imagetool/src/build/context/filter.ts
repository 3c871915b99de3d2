/** Ignore rules as a filter for the files of a tree. */

import { parentOf } from '../../layer/names.ts';
import type { PathFilter } from '../copy/select.ts';
import type { IgnoreFile, Verdict } from '../ignore/ignore-file.ts';

/** Verdicts of directories are kept: those of their files begin with them. */
export function ignoreFilter(file: IgnoreFile, describe: (line: number, pattern: string) => string): PathFilter {
  const known = new Map<string, Verdict>();
  const verdictOf = (path: string): Verdict => {
    const parent = parentOf(path);
    return file.decide(path, parent === '' ? undefined : directoryVerdict(parent));
  };
  const directoryVerdict = (path: string): Verdict => {
    const verdict = known.get(path) ?? verdictOf(path);
    known.set(path, verdict);
    return verdict;
  };
  if (file.rules.length === 0) return { excludes: () => false, mayIncludeBelow: () => false, reason: () => undefined };
  return {
    // The root of a context is always there.
    excludes: (path) => path !== '' && verdictOf(path).ignored,
    mayIncludeBelow: (directory) => directory === '' || !file.canSkip(directory, directoryVerdict(directory)),
    reason: (path) => {
      const { ignored, rule } = path === '' ? { ignored: false, rule: undefined } : verdictOf(path);
      return ignored && rule !== undefined ? describe(rule.line, rule.pattern) : undefined;
    },
  };
}
