/** What to write to a cgroup file to get back its old contents. Pure. */

/** Files with a line for each device or resource. */
const KEYED_CONTROLLERS: readonly string[] = ['io', 'rdma', 'misc', 'dmem'];

/** How a device that had no line loses the one that it was given. */
const UNSET: Readonly<Record<string, string>> = {
  'io.max': 'rbps=max wbps=max riops=max wiops=max',
  'io.weight': 'default',
  'io.bfq.weight': 'default',
  'io.latency': 'target=0',
};

/**
 * The writes, in order, that undo the write of `value`, given the file's text before it; none where nothing can undo it. The kernel takes one line
 * a write.
 */
export function restoreValues(file: string, value: string, oldText: string): string[] {
  // A write to these registers a trigger on the writer's descriptor, which is closed by now.
  if (file.endsWith('.pressure')) return [];
  const controller = file.split('.', 1)[0] ?? '';
  // An empty file needs its newline: a write of no bytes is no write.
  if (!KEYED_CONTROLLERS.includes(controller)) return [oldText === '' ? '\n' : oldText];
  const lines = oldText.split('\n').filter((line) => line !== '');
  const [key = '', ...rest] = value.split(' ');
  // A new default takes BFQ's weights of single devices with it. The default is the first line.
  if (rest.length === 0) return lines;
  const line = lines.find((candidate) => candidate.startsWith(`${key} `));
  if (line !== undefined) return [line];
  const unset = UNSET[file];
  return unset === undefined ? [] : [`${key} ${unset}`];
}
