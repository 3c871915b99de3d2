/** What is so where nobody says otherwise, on both engines. */

/** Transfers at once. */
export const DEFAULT_PARALLEL = 8;
