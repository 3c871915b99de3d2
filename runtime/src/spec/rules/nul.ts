import { formatStep, joinPaths } from '../../../../specs/json/json-path.ts';
import type { JsonValue } from '../../../../specs/json/json-value.ts';
import type { Report, Rule } from './rule.ts';

/**
 * No string and no key may hold a NUL character: the kernel's and C's strings end there, so that a path would silently become another one
 * (CVE-2021-43784 was of this family). Unlike the other rules this one looks at the whole document, known or not.
 */
export const nulErrors: readonly Rule<JsonValue>[] = [
  { id: 'nul-character', reference: 'path_resolution(7)', check: (document, report) => checkBelow(document, '', report) },
];

function checkBelow(value: JsonValue, path: string, report: Report): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) report(path, value, 'must not contain a NUL character');
  } else if (typeof value === 'object' && value !== null) {
    const isArray = Array.isArray(value);
    for (const [key, child] of Object.entries(value)) {
      const below = joinPaths(path, formatStep(isArray ? Number(key) : key));
      if (key.includes('\0')) report(below, undefined, 'must not contain a NUL character in its key');
      checkBelow(child, below, report);
    }
  }
}
