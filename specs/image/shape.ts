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

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(path === '' ? problem : `${path}: ${problem}`, options);
    this.name = 'SpecError';
    this.path = path;
  }
}

/** Throws a SpecError unless `value` has the shape. */
export type Shape = (value: unknown, path: string) => void;
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const anything: Shape = () => undefined;

export const string: Shape = (value, path) => {
  if (typeof value !== 'string') throw new SpecError(path, `expected a string, got ${kindOf(value)}`);
};

export const boolean: Shape = (value, path) => {
  if (typeof value !== 'boolean') throw new SpecError(path, `expected true or false, got ${kindOf(value)}`);
};

/** An integer JavaScript holds exactly. */
export const integer: Shape = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new SpecError(path, `expected an integer, got ${kindOf(value)}`);
};

/** A size in bytes. Negative sizes have been used to slip past readers' limits. */
export const size: Shape = (value, path) => {
  integer(value, path);
  if (Number(value) < 0) throw new SpecError(path, 'a size cannot be negative');
};

export function matching(pattern: RegExp, what: string): Shape {
  return (value, path) => {
    string(value, path);
    if (!pattern.test(String(value))) throw new SpecError(path, `${JSON.stringify(value)} is not ${what}`);
  };
}

export function oneOf(...allowed: readonly (string | number)[]): Shape {
  return (value, path) => {
    if (!allowed.some((one) => one === value)) throw new SpecError(path, `expected ${allowed.join(' or ')}, got ${JSON.stringify(value)}`);
  };
}

export function list(element: Shape): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) throw new SpecError(path, `expected a list, got ${kindOf(value)}`);
    value.forEach((one: unknown, index) => {
      element(one, `${path}[${index}]`);
    });
  };
}

/** An object used as a map: any key, values of one shape. */
export function mapOf(element: Shape): Shape {
  return (value, path) => {
    if (!isObject(value)) throw new SpecError(path, `expected an object, got ${kindOf(value)}`);
    for (const [key, one] of Object.entries(value)) element(one, `${path}[${JSON.stringify(key)}]`);
  };
}

/** An object with these fields; others are allowed and left alone. */
export function object(required: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape {
  return (value, path) => {
    if (!isObject(value)) throw new SpecError(path, `expected an object, got ${kindOf(value)}`);
    const at = (field: string) => (path === '' ? field : `${path}.${field}`);
    for (const [field, shape] of Object.entries(required)) {
      if (value[field] === undefined || value[field] === null) throw new SpecError(at(field), 'is missing');
      shape(value[field], at(field));
    }
    for (const [field, shape] of Object.entries(optional)) {
      if (value[field] === null) delete value[field];
      else if (value[field] !== undefined) shape(value[field], at(field));
    }
  };
}

/** Parses JSON text in UTF-8. Throws SpecError, naming `what`, for anything else. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
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
