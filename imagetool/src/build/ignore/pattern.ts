/** Patterns for paths, with the syntax of Go's filepath.Match: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before what is meant itself. */

export type PatternToken =
  | { readonly kind: 'text'; readonly text: string }
  /** One character that is no slash. */
  | { readonly kind: 'any' }
  /** Any number of them. */
  | { readonly kind: 'star' }
  | { readonly kind: 'class'; readonly isNegated: boolean; readonly ranges: readonly (readonly [first: string, last: string])[] };

/** Undefined where the pattern is malformed: a bracket that does not close or is empty, a range without an end, a backslash at the end. */
export function tokenize(pattern: string): PatternToken[] | undefined {
  const tokens: PatternToken[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'any' });
    else if (character === '\\') {
      at += 1;
      const escaped = characters[at];
      if (escaped === undefined) return undefined;
      tokens.push({ kind: 'text', text: escaped });
    } else if (character === '[') {
      const read = readClass(characters, at + 1);
      if (read === undefined) return undefined;
      tokens.push(read.token);
      at = read.end;
    } else tokens.push({ kind: 'text', text: character });
  }
  return tokens;
}

function readClass(characters: readonly string[], from: number): { readonly token: PatternToken; readonly end: number } | undefined {
  const isNegated = characters[from] === '^';
  const ranges: [string, string][] = [];
  let at = isNegated ? from + 1 : from;
  const one = (): string | undefined => {
    const character = characters[at];
    if (character === undefined || character === '-' || character === ']') return undefined;
    at += character === '\\' ? 2 : 1;
    return character === '\\' ? characters[at - 1] : character;
  };
  while (characters[at] !== ']' || ranges.length === 0) {
    const first = one();
    if (first === undefined) return undefined;
    let last: string | undefined = first;
    if (characters[at] === '-') {
      at += 1;
      last = one();
      if (last === undefined) return undefined;
    }
    ranges.push([first, last]);
  }
  return { token: { kind: 'class', isNegated, ranges }, end: at };
}

/** Of a regular expression with the flag `u`. */
export function expressionOf(token: PatternToken): string {
  switch (token.kind) {
    case 'text':
      return quoted(token.text);
    case 'any':
      return '[^/]';
    case 'star':
      return '[^/]*';
    case 'class': {
      // A range that runs backwards holds nothing.
      const ranges = token.ranges.filter(([first, last]) => (first.codePointAt(0) ?? 0) <= (last.codePointAt(0) ?? 0));
      return `[${token.isNegated ? '^' : ''}${ranges.map(([first, last]) => `${quotedInClass(first)}-${quotedInClass(last)}`).join('')}]`;
    }
  }
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** In a class the hyphen means something; outside of one the flag `u` does not let it be escaped. */
function quotedInClass(text: string): string {
  return quoted(text).replaceAll('-', '\\-');
}

/** A source of COPY or ADD: whether it means more than the one path it names. */
export function hasWildcards(pattern: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*[*?[]/.test(pattern);
}

/**
 * For sources of COPY and ADD: whether a whole path is meant, as filepath.Match has it (`**` is `*`). The function takes paths like the pattern:
 * both with or both without a leading slash. Undefined where the pattern is malformed.
 */
export function pathMatcher(pattern: string): ((path: string) => boolean) | undefined {
  const tokens = tokenize(pattern);
  if (tokens === undefined) return undefined;
  const expression = new RegExp(`^${tokens.map(expressionOf).join('')}$`, 'su');
  return (path) => expression.test(path);
}

/** The directory a pattern looks in, as far as it is fixed, and the rest, component by component: `a/b*\/c` is `a` and `b*`, `c`. */
export function splitPattern(pattern: string): { readonly directory: string; readonly components: readonly string[] } {
  const components = pattern.split('/');
  const first = components.findIndex(hasWildcards);
  const fixed = first < 0 ? components.length - 1 : first;
  return { directory: components.slice(0, fixed).join('/'), components: components.slice(fixed) };
}
