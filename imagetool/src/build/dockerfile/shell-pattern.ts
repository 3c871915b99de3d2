/** Patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: `*`, `?` and the backslash, no brackets. */

import { SubstitutionError } from './substitution-error.ts';

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

/** `shortest`: every `*` takes as little as it can. */
type Reach = 'shortest' | 'longest';

/** A regular expression without anchors. Throws SubstitutionError for an escape that means nothing. */
function expressionOf(pattern: string, reach: Reach): string {
  let expression = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character === '*') expression += reach === 'longest' ? '.*' : '.*?';
    else if (character === '?') expression += '.';
    else if (character === '\\') {
      at += 1;
      const escaped = pattern.charAt(at);
      // } and / have to be escaped for the sake of ${…}, whatever the pattern.
      if (!['*', '?', '\\', '}', '/'].includes(escaped))
        throw new SubstitutionError(`\\${escaped} means nothing in the pattern ${pattern}`);
      expression += escaped.replace(SPECIAL, '\\$&');
    } else expression += character.replace(SPECIAL, '\\$&');
  }
  return expression;
}

export function withoutPrefix(value: string, pattern: string, reach: Reach): string {
  const match = new RegExp(`^(?:${expressionOf(pattern, reach)})`, 'u').exec(value);
  return match === null ? value : value.slice(match[0].length);
}

export function withoutSuffix(value: string, pattern: string, reach: Reach): string {
  const expression = new RegExp(`^(?:${expressionOf(pattern, 'longest')})$`, 'u');
  const characters = [...value];
  const lengths = Array.from({ length: characters.length + 1 }, (_, length) => length);
  for (const length of reach === 'shortest' ? lengths : lengths.reverse()) {
    const kept = characters.length - length;
    if (expression.test(characters.slice(kept).join(''))) return characters.slice(0, kept).join('');
  }
  return value;
}

/** Every place takes as much as it can, from the left. */
export function withReplacement(value: string, pattern: string, replacement: string, { all }: { readonly all: boolean }): string {
  return value.replace(new RegExp(expressionOf(pattern, 'longest'), all ? 'gu' : 'u'), () => replacement);
}
