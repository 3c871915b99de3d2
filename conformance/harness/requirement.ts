/** What the specification asks of a runtime, as data. */

export const LEVELS = ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT'] as const;
export type Level = (typeof LEVELS)[number];

export interface Requirement {
  readonly level: Level;
  /** Document and anchor, such as `runtime.md#create`. */
  readonly section: string;
  /** In our own words. */
  readonly text: string;
  /** Why no test from outside can show it. Absent: there is a test. */
  readonly untestable?: string;
}

export type Requirements = Readonly<Record<string, Requirement>>;

/** Where the sections are to be read. */
export const SPEC_URL = 'https://github.com/opencontainers/runtime-spec/blob/main/';

export function must(section: string, text: string): Requirement {
  return { level: 'MUST', section, text };
}

export function mustNot(section: string, text: string): Requirement {
  return { level: 'MUST NOT', section, text };
}

export function should(section: string, text: string): Requirement {
  return { level: 'SHOULD', section, text };
}

export function shouldNot(section: string, text: string): Requirement {
  return { level: 'SHOULD NOT', section, text };
}

/** The same requirement, which no test can show. */
export function untestable(requirement: Requirement, reason: string): Requirement {
  return { ...requirement, untestable: reason };
}
