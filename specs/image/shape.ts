/**
 * Checking of parsed JSON against the shapes of the image specification, in place.
 *
 * The checked object is handed back itself, not a copy: fields the specification does not name, and the order of all fields, survive a round trip.
 * Go programs write `null` for an empty optional field; such a field is removed, so that in the typed view it is absent.
 */

/** A document that is not what its specification says. `path` names the place: `layers[2].digest`. */
export class SpecError extends Error {
  readonly code = 'spec';
  readonly path: string;
  readonly problem: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(path === '' ? problem : `${path}: ${problem}`, options);
    this.name = 'SpecError';
    this.path = path;
    this.problem = problem;
  }
}

/** Throws a SpecError unless `value` has the shape. Its path begins at the value; whoever called puts the value's own place before it. */
export type Shape = (value: unknown) => void;
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const anything: Shape = () => undefined;

export const string: Shape = (value) => {
  if (typeof value !== 'string') throw new SpecError('', `expected a string, got ${kindOf(value)}`);
};

export const boolean: Shape = (value) => {
  if (typeof value !== 'boolean') throw new SpecError('', `expected true or false, got ${kindOf(value)}`);
};

/** An integer JavaScript holds exactly. */
export const integer: Shape = (value) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new SpecError('', `expected an integer, got ${kindOf(value)}`);
};

/** A size in bytes. Negative sizes have been used to slip past readers' limits. */
export const size: Shape = (value) => {
  integer(value);
  if (Number(value) < 0) throw new SpecError('', 'a size cannot be negative');
};

export function matching(pattern: RegExp, what: string): Shape {
  return (value) => {
    string(value);
    if (!pattern.test(String(value))) throw new SpecError('', `${JSON.stringify(value)} is not ${what}`);
  };
}

export function oneOf(...allowed: readonly (string | number)[]): Shape {
  return (value) => {
    if (!allowed.some((one) => one === value)) throw new SpecError('', `expected ${allowed.join(' or ')}, got ${JSON.stringify(value)}`);
  };
}

export function list(element: Shape): Shape {
  return (value) => {
    if (!Array.isArray(value)) throw new SpecError('', `expected a list, got ${kindOf(value)}`);
    value.forEach((one: unknown, index) => {
      checkAt(`[${index}]`, element, one);
    });
  };
}

/** An object used as a map: any key, values of one shape. */
export function mapOf(element: Shape): Shape {
  return (value) => {
    if (!isObject(value)) throw new SpecError('', `expected an object, got ${kindOf(value)}`);
    for (const key of Object.keys(value)) checkAt(`[${JSON.stringify(key)}]`, element, value[key]);
  };
}

/** An object with these fields; others are allowed and left alone. */
export function object(required: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape {
  const [needed, allowed] = [Object.entries(required), Object.entries(optional)];
  return (value) => {
    if (!isObject(value)) throw new SpecError('', `expected an object, got ${kindOf(value)}`);
    for (const [field, shape] of needed) {
      const one = value[field];
      if (one === undefined || one === null) throw new SpecError(field, 'is missing');
      checkAt(field, shape, one);
    }
    for (const [field, shape] of allowed) {
      const one = value[field];
      if (one === null) delete value[field];
      else if (one !== undefined) checkAt(field, shape, one);
    }
  };
}

/** Checks what is at a place of a document. The path of an error is put together on its way out: most documents have none. */
export function checkAt(place: string, shape: Shape, value: unknown): void {
  try {
    shape(value);
  } catch (error) {
    if (!(error instanceof SpecError) || place === '') throw error;
    const separator = error.path === '' || error.path.startsWith('[') ? '' : '.';
    throw new SpecError(`${place}${separator}${error.path}`, error.problem);
  }
}

/** Not every engine has it: where it is missing, documents are given as text. */
declare const TextDecoder: new (label: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string };

/** Parses JSON, text or bytes in UTF-8. Throws SpecError, naming `what`, for anything else. */
export function parseJson(document: Uint8Array | string, what: string): unknown {
  try {
    return JSON.parse(typeof document === 'string' ? document : new TextDecoder('utf-8', { fatal: true }).decode(document));
  } catch (cause) {
    throw notJson(what, cause);
  }
}

function notJson(what: string, cause: unknown): SpecError {
  return new SpecError('', `${what} is not JSON in UTF-8: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value)}`;
}
