/** One line of comma-separated fields, as `--mount` has them; quotes around a field hold commas, and are doubled inside (RFC 4180). */

/** Undefined where quotes are not right. */
export function parseCsv(line: string): string[] | undefined {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest);
    const plain = quoted === null ? /^[^",]*(?=,|$)/.exec(rest) : null;
    const match = quoted ?? plain;
    if (match === null) return undefined;
    fields.push(quoted === null ? match[0] : (quoted[1] ?? '').replaceAll('""', '"'));
    if (match[0].length === rest.length) return fields;
    rest = rest.slice(match[0].length + 1);
  }
}
