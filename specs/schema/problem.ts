/** One thing that is wrong, or worth a warning, in a document. */
export interface Problem {
  /** Stable name of what was checked: `type`, `required`, `unknown-property`, `deprecated`, or the id of a semantic rule. */
  readonly rule: string;
  /** Where: `process.rlimits[0].type`; empty for the document itself. */
  readonly path: string;
  /** What stands there; undefined if nothing does. */
  readonly value: unknown;
  /** A predicate for the path: `must be an absolute path`. */
  readonly message: string;
  /** The section of the specification, as `config.md#process`. */
  readonly reference: string | undefined;
}

/** The problem in one line: `process.cwd = "tmp": must be an absolute path (config.md#process)`. */
export function describeProblem(problem: Problem): string {
  const place = [problem.path, problem.value === undefined ? '' : describeValue(problem.value)].filter((part) => part !== '').join(' = ');
  const reference = problem.reference === undefined ? '' : ` (${problem.reference})`;
  return `${place}${place === '' ? '' : ': '}${problem.message}${reference}`;
}

const MAX_SHOWN = 60;

/** The value as JSON, shortened; of arrays and objects only their kind. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}
