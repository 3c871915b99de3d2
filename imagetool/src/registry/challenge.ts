/** Parsing of WWW-Authenticate (RFC 9110, section 11.6.1; docker's token authentication). */

export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const PARAMETER = /\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/y;

/** The challenges of one or more header values, in order. What cannot be understood is skipped: other challenges may do. */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap((header) => parseHeader(header));
}

function parseHeader(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  while (at < header.length) {
    while (header[at] === ' ' || header[at] === ',') at += 1;
    TOKEN.lastIndex = at;
    const scheme = TOKEN.exec(header)?.[0];
    if (scheme === undefined) break;
    at += scheme.length;
    const parameters: Record<string, string> = {};
    for (;;) {
      PARAMETER.lastIndex = at;
      const match = PARAMETER.exec(header);
      if (match === null) break;
      // A comma inside quotes belongs to the value: scopes are full of them.
      parameters[(match[1] ?? '').toLowerCase()] = match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '';
      at = PARAMETER.lastIndex;
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    // Something that is neither a parameter nor a scheme: nothing after it can be trusted.
    if (header[at] !== undefined && header[at] !== ' ' && header[at - 1] !== ',' && header[at] !== ',') break;
  }
  return challenges;
}
