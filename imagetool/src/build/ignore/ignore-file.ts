/**
 * `.dockerignore`: which paths of a context a build does not see. Semantics of moby's patternmatcher:
 * https://pkg.go.dev/github.com/moby/patternmatcher, https://docs.docker.com/build/concepts/context/#dockerignore-files
 */

import { posix } from 'node:path';
import { ImageError } from '../../base/errors.ts';
import { compileRule, type RuleMatcher } from './rule-matcher.ts';

export interface IgnoreRule {
  /** Cleaned, without `!` and the leading slash. */
  readonly pattern: string;
  /** `!`: what it matches is part of the context again. */
  readonly negated: boolean;
  /** In the file, from 1. */
  readonly line: number;
}

/** What the rules say of one path. */
export interface Verdict {
  readonly ignored: boolean;
  /** The rule that decided last; none matched where it is absent. */
  readonly rule?: IgnoreRule;
  /** For the entries of this directory; see IgnoreFile.decide. */
  readonly matches: readonly boolean[];
}

interface CompiledRule extends IgnoreRule {
  readonly matcher: RuleMatcher;
}

export class IgnoreFile {
  /** How messages call the file. */
  readonly name: string;
  readonly rules: readonly IgnoreRule[];
  readonly hasNegations: boolean;
  readonly #compiled: readonly CompiledRule[];

  /** Throws ImageError `ignore-file` for a malformed pattern. */
  constructor(name: string, rules: readonly IgnoreRule[]) {
    this.name = name;
    this.rules = rules;
    this.hasNegations = rules.some((rule) => rule.negated);
    this.#compiled = rules.map((rule) => {
      const matcher = compileRule(rule.pattern);
      if (matcher === undefined) throw malformed(name, rule.line, rule.pattern);
      return { ...rule, matcher };
    });
  }

  /**
   * `path` is relative to the context, without `./` and a slash at its end. A path below an ignored directory is ignored, unless a later rule
   * takes it back. A walk gives the verdict of the directory that the path lies in: then the rules need not look at that again.
   */
  decide(path: string, directory?: Verdict): Verdict {
    const parents = directory === undefined ? parentsOf(path) : [];
    let ignored = false;
    let decisive: IgnoreRule | undefined;
    const matches = this.#compiled.map((rule, index) => {
      let isMatch = directory?.matches[index] === true;
      if (!isMatch) {
        // A rule that would change nothing is not asked, and counts as not matching for what lies below, too: so moby does it.
        if (rule.negated !== ignored) return false;
        isMatch = rule.matcher.matches(path) || parents.some((parent) => rule.matcher.matches(parent));
      }
      if (isMatch) {
        ignored = !rule.negated;
        decisive = rule;
      }
      return isMatch;
    });
    if (decisive === undefined) return { ignored, matches };
    const { pattern, negated, line } = decisive;
    return { ignored, rule: { pattern, negated, line }, matches };
  }

  /** Whether nothing below an ignored directory can be part of the context, so that a walk need not enter it. */
  canSkip(directory: string, verdict: Verdict): boolean {
    return verdict.ignored && !this.#compiled.some((rule) => rule.negated && rule.matcher.mayMatchBelow(directory));
  }
}

/** Throws ImageError `ignore-file` with the line of a bad pattern. */
export function parseIgnoreFile(text: string, name = '.dockerignore'): IgnoreFile {
  const rules: IgnoreRule[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    // Only at the very start: a pattern may begin with a blank, and then with #.
    if (line.startsWith('#')) continue;
    const rule = ruleOf(line, index + 1, name);
    if (rule !== undefined) rules.push(rule);
  }
  return new IgnoreFile(name, rules);
}

/** Patterns that are not in a file, as `--exclude` has them: `line` is their number. */
export function ignorePatterns(patterns: readonly string[], name: string): IgnoreFile {
  return new IgnoreFile(
    name,
    patterns.flatMap((pattern, index) => ruleOf(pattern, index + 1, name) ?? []),
  );
}

function ruleOf(text: string, line: number, name: string): IgnoreRule | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const negated = trimmed.startsWith('!');
  const written = negated ? trimmed.slice(1).trim() : trimmed;
  if (written === '') throw malformed(name, line, '!');
  return { pattern: clean(written), negated, line };
}

/** The shortest path that means the same, without a leading slash: all are relative to the context. */
function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.replace(/(?<=.)\/$/, '').replace(/^\/(?=.)/, '');
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) parents.push(path.slice(0, at));
  return parents;
}

function malformed(name: string, line: number, pattern: string): ImageError {
  return new ImageError('ignore-file', `${name}:${line}: ${JSON.stringify(pattern)} is no pattern`, {
    hint:
      pattern === '!'
        ? 'After ! comes what is part of the context again.'
        : 'A bracket has to close, and a backslash stands before what it escapes.',
  });
}
