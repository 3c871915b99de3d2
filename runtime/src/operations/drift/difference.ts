/** How a running container differs from its configuration. */
export interface Difference {
  readonly aspect: 'cgroup' | 'namespace' | 'process' | 'limit' | 'mount' | 'device' | 'name' | 'sysctl';
  /** The place in config.json that is not so any more; undefined for what it does not know. */
  readonly configPath: string | undefined;
  /** A file of the cgroup, a place in the container, a capability set, … */
  readonly object: string;
  readonly expected: string;
  readonly actual: string;
}

/** Where two texts differ, one difference. */
export function compare(
  what: Pick<Difference, 'aspect' | 'configPath' | 'object'>,
  expected: string,
  actual: string | undefined,
  agree: (expected: string, actual: string) => boolean = (one, other) => one === other,
): Difference[] {
  if (actual !== undefined && agree(expected, actual)) return [];
  return [{ ...what, expected, actual: actual ?? 'not there' }];
}
