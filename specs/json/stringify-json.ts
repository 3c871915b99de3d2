/**
 * The JSON text of a plain value, as `JSON.stringify` writes it, with a `bigint` as an integer. `indent` is what each level is indented by.
 * Reading the text with `parseJson` gives the same value.
 */
export function stringifyJson(value: unknown, indent = ''): string {
  return containsBigInt(value) ? write(value, indent, '\n') : JSON.stringify(value, undefined, indent);
}

function containsBigInt(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint';
  return Object.values(value).some(containsBigInt);
}

/** `lineBreak` starts a line of the level that `value` stands on. */
function write(value: unknown, indent: string, lineBreak: string): string {
  if (typeof value === 'bigint') return value.toString();
  // What has no JSON text, such as undefined in an array, is null.
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const inner = lineBreak + indent;
  const colon = indent === '' ? ':' : ': ';
  if (Array.isArray(value)) {
    const items = value.map((item) => write(item, indent, inner));
    return enclose('[', items, ']', indent === '' ? undefined : lineBreak, inner);
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const texts = members.map(([key, member]) => `${JSON.stringify(key)}${colon}${write(member, indent, inner)}`);
  return enclose('{', texts, '}', indent === '' ? undefined : lineBreak, inner);
}

/** Without `outer` all is on one line. */
function enclose(open: string, items: readonly string[], close: string, outer: string | undefined, inner: string): string {
  if (items.length === 0) return open + close;
  return outer === undefined ? open + items.join(',') + close : open + inner + items.join(`,${inner}`) + outer + close;
}
