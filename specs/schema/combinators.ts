/** The words that schemas are written with. Sizes and signs of integers are those of the specification's Go types. */

import type { Fields, Infer, InferObject, Node, OptionalField, Schema } from './schema.ts';

const UINT64_MAX = 18446744073709551615n;
const INT64_MAX = 9223372036854775807n;

export const string = schema<string>({ kind: 'string' });
export const boolean = schema<boolean>({ kind: 'boolean' });

export const uint8 = integer(0, 0xff);
export const uint16 = integer(0, 0xffff);
export const uint32 = integer(0, 0xffffffff);
export const int32 = integer(-0x80000000, 0x7fffffff);
/** A 64-bit integer: a `bigint` exactly when the number is beyond `Number.MAX_SAFE_INTEGER`. */
export const uint64 = schema<number | bigint>({ kind: 'integer', min: 0, max: UINT64_MAX });
/** As `uint64`, signed. */
export const int64 = schema<number | bigint>({ kind: 'integer', min: -INT64_MAX - 1n, max: INT64_MAX });

/** An integer within the given bounds, both included. */
export function integer(min: number, max: number): Schema<number> {
  return schema<number>({ kind: 'integer', min, max });
}

/** One of the given strings. */
export function oneOf<const V extends readonly string[]>(values: V): Schema<V[number]> {
  return schema<V[number]>({ kind: 'enum', values });
}

/** A string that matches `pattern` (anchored by the caller); `expected` completes the sentence "must be …". */
export function matching(pattern: RegExp, expected: string): Schema<string> {
  return schema<string>({ kind: 'string', pattern, expected });
}

export interface ArrayOptions {
  readonly minItems?: number;
}

export function array<S extends Schema<unknown>>(items: S, options: ArrayOptions = {}): Schema<readonly Infer<S>[]> {
  return schema<readonly Infer<S>[]>({ kind: 'array', items, minItems: options.minItems ?? 0 });
}

export interface ObjectOptions {
  /** Where the specification defines the object: `config.md#mounts`. Problems within it cite this. */
  readonly section?: string;
  readonly unknown?: 'warning' | 'error';
}

/** An object whose keys are free and whose values are alike. */
export function map<S extends Schema<unknown>>(
  values: S,
  options: Pick<ObjectOptions, 'section'> = {},
): Schema<Readonly<Record<string, Infer<S>>>> {
  return schema<Readonly<Record<string, Infer<S>>>>({ kind: 'map', values, section: options.section });
}

/** An object with named properties: plain schemas are required, `optional(…)` ones are not. */
export function object<F extends Fields>(fields: F, options: ObjectOptions = {}): Schema<InferObject<F>> {
  return schema<InferObject<F>>({
    kind: 'object',
    fields,
    section: options.section,
    unknown: options.unknown ?? 'warning',
    required: undefined,
  });
}

/** Any object; nothing within it is checked or warned about. */
export const anyObject = schema<Readonly<Record<string, unknown>>>({ kind: 'any-object' });

/**
 * A property that may be absent. `null` is the same as absent, as it is for every caller written in Go; so is an empty string for a property that
 * holds a string. `validate` removes such properties.
 */
export function optional<S extends Schema<unknown>>(of: S): OptionalField<Infer<S>> {
  return { optional: of as Schema<Infer<S>> };
}

/** An optional property whose presence deserves a warning: `note` says why and what to use. */
export function deprecated<S extends Schema<unknown>>(of: S, note: string): OptionalField<Infer<S>> {
  return { optional: of as Schema<Infer<S>>, deprecated: note };
}

function schema<T>(node: Node): Schema<T> {
  return { node };
}
