/**
 * Schemas as data. One declaration gives the TypeScript type (`Infer<typeof Mount>`), the check (`validate` in `validate.ts`) and the known names.
 *
 * A schema is a small frozen-by-convention object that `validate` walks; nothing is generated and nothing is computed when a module loads, so
 * declaring a schema costs about as much as writing down the object.
 */

/** Carries the type of the values a schema accepts. Exists for the compiler only. */
declare const TYPE: unique symbol;

export interface Schema<T> {
  readonly node: Node;
  readonly [TYPE]?: T;
}

/** A property that may be absent. `null` counts as absent, and so does an empty string where a string is expected: see `optional`. */
export interface OptionalField<T> {
  readonly optional: Schema<T>;
  /** Why the property is deprecated or ignored; its presence gives a warning. */
  readonly deprecated?: string;
}

export type Field = Schema<unknown> | OptionalField<unknown>;
export type Fields = Readonly<Record<string, Field>>;

export type Node = StringNode | EnumNode | IntegerNode | BooleanNode | ArrayNode | MapNode | ObjectNode | AnyObjectNode;

export interface StringNode {
  readonly kind: 'string';
  /** What the whole string must match, and that in words. */
  readonly pattern?: RegExp;
  readonly expected?: string;
}

export interface EnumNode {
  readonly kind: 'enum';
  readonly values: readonly string[];
}

export interface IntegerNode {
  readonly kind: 'integer';
  readonly min: number | bigint;
  readonly max: number | bigint;
}

export interface BooleanNode {
  readonly kind: 'boolean';
}

export interface ArrayNode {
  readonly kind: 'array';
  readonly items: Schema<unknown>;
  readonly minItems: number;
}

export interface MapNode {
  readonly kind: 'map';
  readonly values: Schema<unknown>;
  /** The section of the specification that defines the entries. */
  readonly section: string | undefined;
}

export interface ObjectNode {
  readonly kind: 'object';
  readonly fields: Fields;
  readonly section: string | undefined;
  /** What an unknown property is. The specification wants them ignored; where the names are a closed set of choices they are errors. */
  readonly unknown: 'warning' | 'error';
  /** Names of the required properties; filled in when the node is first used. */
  required: readonly string[] | undefined;
}

/** Any object, not looked into: the configuration of another platform. */
export interface AnyObjectNode {
  readonly kind: 'any-object';
}

/** The type of the values that a schema or field accepts. */
export type Infer<S> = S extends OptionalField<infer T> ? T : S extends Schema<infer T> ? T : never;

/** The object type that a record of fields describes: absent means absent, never `undefined`. */
export type InferObject<F extends Fields> = Flatten<
  { readonly [K in keyof F as F[K] extends OptionalField<unknown> ? never : K]: Infer<F[K]> } & {
    readonly [K in keyof F as F[K] extends OptionalField<unknown> ? K : never]?: Infer<F[K]>;
  }
>;

type Flatten<T> = { [K in keyof T]: T[K] };
