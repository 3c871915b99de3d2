/** How one pattern of an ignore file matches a path: moby's patternmatcher, where `**` is any number of directories. */

import { expressionOf, type PatternToken, tokenize } from './pattern.ts';

export interface RuleMatcher {
  matches(path: string): boolean;
  /** Whether a path below this directory may match; may be wrong only in saying yes. */
  mayMatchBelow(directory: string): boolean;
}

/** `pattern` is clean: no `.`, no `..` inside, no doubled slash. Undefined where it is malformed. */
export function compileRule(pattern: string): RuleMatcher | undefined {
  const tokens = tokenize(pattern);
  if (tokens === undefined) return undefined;
  const matches = matcherOf(pattern, tokens);
  const components = pattern.split('/');
  return { matches, mayMatchBelow: (directory) => mayMatchBelow(components, directory.split('/')) };
}

function matcherOf(pattern: string, tokens: readonly PatternToken[]): (path: string) => boolean {
  const special = tokens.filter((token) => token.kind !== 'text').length;
  if (special === 0 && !pattern.includes('\\')) return (path) => path === pattern;
  // Only `**`, and only at one end: what is most common is also quickest.
  if (special === 2 && !pattern.includes('\\')) {
    // Moby takes `**x` as "ends in x" only here: in the middle `**` ends at a slash.
    if (pattern.startsWith('**')) {
      const suffix = pattern.slice(2);
      return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
    }
    if (pattern.endsWith('**')) {
      const prefix = pattern.slice(0, -2);
      return (path) => path.startsWith(prefix);
    }
  }
  const expression = new RegExp(`^${wholeExpression(tokens)}$`, 'u');
  return (path) => expression.test(path);
}

function wholeExpression(tokens: readonly PatternToken[]): string {
  let text = '';
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind !== 'star' || tokens[at + 1]?.kind !== 'star') {
      text += expressionOf(token);
      continue;
    }
    at += 1;
    const next = tokens[at + 1];
    if (next?.kind === 'text' && next.text === '/') at += 1;
    text += at + 1 >= tokens.length ? '.*' : '(?:.*/)?';
  }
  return text;
}

function mayMatchBelow(components: readonly string[], directory: readonly string[]): boolean {
  for (const [index, name] of directory.entries()) {
    const component = components[index];
    if (component === undefined) return false;
    // A class may match a slash, and so more than this component.
    if (component.includes('**') || component.includes('[')) return true;
    if (compileRule(component)?.matches(name) !== true) return false;
  }
  return components.length > directory.length;
}
