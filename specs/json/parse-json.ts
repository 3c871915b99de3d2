import { JsonError } from './json-error.ts';
import { JsonReader } from './json-reader.ts';
import type { JsonValue } from './json-value.ts';

export interface ParseLimits {
  /** In UTF-16 units. */
  readonly maxLength: number;
  /** Of arrays and objects within each other. */
  readonly maxDepth: number;
}

export const DEFAULT_LIMITS: ParseLimits = { maxLength: 16 * 1024 * 1024, maxDepth: 64 };

/**
 * Reads a JSON text (RFC 8259), more exactly than `JSON.parse` does: an integer that a `number` cannot hold becomes a `bigint`, a key given twice
 * is an error, and so is an escape that is half of a surrogate pair. Objects have no prototype. Throws `JsonError` with the place.
 *
 * Nearly every text needs none of that, and the engine's own parser is ten times as fast as one written in JavaScript. So it goes first, and its
 * result is taken when it is shown to be the same; otherwise `JsonReader` reads the text again.
 */
export function parseJson(text: string, limits: ParseLimits = DEFAULT_LIMITS): JsonValue {
  if (text.length > limits.maxLength) {
    throw new JsonError(`the text is longer than ${limits.maxLength} characters`, text, limits.maxLength);
  }
  return parseNatively(text, limits.maxDepth) ?? new JsonReader(text, limits.maxDepth).readDocument();
}

/** A half of a surrogate pair, or what looks like one. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** The value of the text, or undefined if `JsonReader` has to decide. */
function parseNatively(text: string, maxDepth: number): JsonValue | undefined {
  if (text.includes('\\u') && SURROGATE_ESCAPE.test(text)) return undefined;
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    // JsonReader says what is wrong and where.
    return undefined;
  }
  const keys = countKeys(value, maxDepth);
  return keys === countKeysInText(text) ? value : undefined;
}

/** No count at all: the value is too deep, or holds a number that may have been rounded. */
const NOT_EXACT = -1;

/** The number of keys in the value, whose objects lose their prototypes on the way. */
function countKeys(value: JsonValue, depth: number): number {
  if (typeof value === 'number') return value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER ? NOT_EXACT : 0;
  if (typeof value !== 'object' || value === null) return 0;
  if (depth === 0) return NOT_EXACT;
  const isArray = Array.isArray(value);
  if (!isArray) Object.setPrototypeOf(value, null);
  const children = isArray ? value : Object.values(value);
  let keys = isArray ? 0 : children.length;
  for (const child of children) {
    if (typeof child === 'string') continue;
    const below = countKeys(child, depth - 1);
    if (below === NOT_EXACT) return NOT_EXACT;
    keys += below;
  }
  return keys;
}

const QUOTE = 34;
const SPACE = 32;

/**
 * At least the number of keys in a valid text: how many colons follow a quotation mark. Each key counts, also one that is given twice; a string that
 * starts with a colon, or has an escaped quotation mark before one, counts too. So if this is the number of keys in the parsed value, no key was
 * given twice.
 */
function countKeysInText(text: string): number {
  let count = 0;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let before = colon - 1;
    while (text.charCodeAt(before) <= SPACE) before--;
    if (text.charCodeAt(before) === QUOTE) count++;
  }
  return count;
}
