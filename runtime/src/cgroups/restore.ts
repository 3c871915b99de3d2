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
 * The write that undoes the write of `value`, given the file's text before it; undefined where nothing can undo it. Only the line that the
 * write changes comes back: the kernel takes one line a write.
 */
export function restoreValue(file: string, value: string, oldText: string): string | undefined {
  // A write to these registers a trigger on the writer's descriptor, which is closed by now.
  if (file.endsWith('.pressure')) return undefined;
  const controller = file.split('.', 1)[0] ?? '';
  // An empty file needs its newline: a write of no bytes is no write.
  if (!KEYED_CONTROLLERS.includes(controller)) return oldText === '' ? '\n' : oldText;
  const lines = oldText.split('\n');
  const [first = '', ...rest] = value.split(' ');
  if (rest.length === 0) return lines.find((line) => line.startsWith('default ')) ?? lines[0];
  const line = lines.find((candidate) => candidate.startsWith(`${first} `));
  if (line !== undefined) return line;
  const unset = UNSET[file];
  return unset === undefined ? undefined : `${first} ${unset}`;
}
