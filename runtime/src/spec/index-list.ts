/** Indices of CPUs or memory nodes, both ends included. */
export interface IndexRange {
  readonly first: number;
  readonly last: number;
}

/** Far beyond what a kernel can be built for (8192 CPUs); keeps a slip of the pen from becoming a mask of megabytes. */
const MAX_INDEX = 65536;

const RANGE = /^([0-9]{1,6})(?:-([0-9]{1,6}))?$/;

/**
 * Reads a list such as `0-3,7` (cpuset(7), "List format"). Blanks around an element and empty elements are let pass, as the kernel does. Undefined if
 * it is not such a list, or if an index is beyond 65536.
 */
export function parseIndexList(list: string): readonly IndexRange[] | undefined {
  const ranges: IndexRange[] = [];
  for (const element of list.split(',')) {
    const trimmed = element.trim();
    if (trimmed === '') continue;
    const match = RANGE.exec(trimmed);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first > last || last > MAX_INDEX) return undefined;
    ranges.push({ first, last });
  }
  return ranges;
}
