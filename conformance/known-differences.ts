/** Where the runtimes that others have made differ from the specification, so that a run against them says only what is new. */
import type { KnownDifference } from './harness/known-difference.ts';

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];
