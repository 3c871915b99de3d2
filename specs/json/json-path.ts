/** A key of an object or an index of an array. */
export type PathStep = string | number;

const PLAIN_KEY = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** The place that `steps` lead to, as people write it: `process.rlimits[0].type`, `linux.sysctl["net.core.somaxconn"]`. The whole document is ''. */
export function formatPath(steps: readonly PathStep[]): string {
  let path = '';
  for (const step of steps) path = joinPaths(path, formatStep(step));
  return path;
}

/** One step on its own: `rlimits`, `[0]`, `["net.core.somaxconn"]`. */
export function formatStep(step: PathStep): string {
  if (typeof step === 'number') return `[${step}]`;
  return PLAIN_KEY.test(step) ? step : `[${JSON.stringify(step)}]`;
}

/** Two formatted paths as one. Either may be empty. */
export function joinPaths(parent: string, child: string): string {
  const separator = parent === '' || child === '' || child.startsWith('[') ? '' : '.';
  return `${parent}${separator}${child}`;
}
