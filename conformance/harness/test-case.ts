import type { RequirementId } from '../requirements/all.ts';
import type { Ground } from './ground.ts';
import type { Need } from './host.ts';
import type { Runtime } from './runtime.ts';

export interface TestCase {
  /** `area/topic/name`. */
  readonly id: string;
  /** What is so, in the present tense. */
  readonly title: string;
  readonly covers: readonly RequirementId[];
  /** What the host must have. */
  readonly needs: readonly Need[];
  /** Why this runtime has nothing to test, by what it says of itself. */
  readonly requires: ((runtime: Runtime) => string | undefined) | undefined;
  /** The version of the specification that the feature is new in; older runtimes may fail. */
  readonly since: string | undefined;
  readonly run: (ground: Ground) => Promise<unknown>;
}

export interface Details {
  readonly needs?: readonly Need[];
  readonly requires?: (runtime: Runtime) => string | undefined;
  readonly since?: string;
}

/** The first part of a test's id. */
export function areaOf(id: string): string {
  return id.split('/')[0] ?? id;
}

/** Thrown by a test that finds out that it cannot be made here. */
export class NotTestable extends Error {}

/** Collects the tests of one topic, so that each is one call. */
export class Topic {
  readonly tests: TestCase[] = [];
  readonly #prefix: string;
  readonly #details: Details;

  /** `details` hold for every test of the topic. */
  constructor(prefix: string, details: Details = {}) {
    this.#prefix = prefix;
    this.#details = details;
  }

  /** `name` and `title` as in `cwd-is-set: the program starts in the working directory`. */
  test(name: string, covers: readonly RequirementId[], run: TestCase['run'], details: Details = {}): void {
    const [word = '', title = word] = name.split(': ');
    this.tests.push({
      id: `${this.#prefix}/${word}`,
      title,
      covers,
      needs: [...(this.#details.needs ?? []), ...(details.needs ?? [])],
      requires: details.requires ?? this.#details.requires,
      since: details.since ?? this.#details.since,
      run,
    });
  }
}
