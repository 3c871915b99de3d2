/** Versions as runtimes print them: `1.1.5+ds1`, `1.3.0-rc.1`. Only the three numbers count, and that a pre-release is before its release. */
export function compareVersions(left: string, right: string): number {
  const a = parse(left);
  const b = parse(right);
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function parse(version: string): number[] {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-)?/.exec(version);
  if (match === null) return [0, 0, 0, 0];
  const [, major = '0', minor = '0', patch = '0', preRelease] = match;
  return [Number(major), Number(minor), Number(patch), preRelease === undefined ? 0 : -1];
}

const TESTS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '=': (order) => order === 0,
};

/** `range` is comparisons that must all hold, such as `>=1.1.0 <1.2.0`, or `*`. Throws when it is not. */
export function inRange(version: string, range: string): boolean {
  return range.split(' ').every((part) => {
    if (part === '*') return true;
    const match = /^(<=|>=|<|>|=)(\d+(?:\.\d+)*(?:-\S+)?)$/.exec(part);
    const test = TESTS[match?.[1] ?? ''];
    if (match === null || test === undefined) throw new Error(`not a range of versions: ${JSON.stringify(range)}`);
    return test(compareVersions(version, match[2] ?? ''));
  });
}
