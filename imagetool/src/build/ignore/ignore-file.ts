/** `.dockerignore`: which paths of a context a build does not see. Semantics of moby's patternmatcher. */

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

export class IgnoreFile {
  /** How messages call the file. */
  readonly name: string;
  readonly rules: readonly IgnoreRule[];

  constructor(name: string, rules: readonly IgnoreRule[]) {
    this.name = name;
    this.rules = rules;
  }

  /** `path` is relative to the context, without `./` and a slash at its end. A walk gives the verdict of the directory: then only the last name is new. */
  decide(path: string, _directory?: Verdict): Verdict {
    throw new Error(`not written yet: ${path}`);
  }

  /** Whether nothing below an ignored directory can be part of the context. */
  canSkip(directory: string, _verdict: Verdict): boolean {
    throw new Error(`not written yet: ${directory}`);
  }
}

/** Throws ImageError `ignore-file` with the line of a bad pattern. */
export function parseIgnoreFile(text: string, name = '.dockerignore'): IgnoreFile {
  throw new Error(`not written yet: ${name} ${text.length}`);
}
