import { formatPath, type PathStep } from '../json/json-path.ts';
import { findNearestName } from './nearest-name.ts';
import type { Problem } from './problem.ts';
import type { ArrayNode, EnumNode, Field, IntegerNode, MapNode, Node, ObjectNode, Schema } from './schema.ts';

export type Validation<T> =
  | { readonly valid: true; readonly value: T; readonly warnings: readonly Problem[] }
  | {
      readonly valid: false;
      readonly errors: readonly Problem[];
      readonly warnings: readonly Problem[];
      /** What is not as the schema wants it, or is missing. Everything else has its type, unless the document as a whole has not: then it is undefined. */
      readonly wrong: readonly Place[] | undefined;
    };

/** A property of an object, or an element of an array, within the document. */
export interface Place {
  readonly container: object;
  readonly key: PathStep;
}

/**
 * Checks a parsed JSON value against a schema and finds all problems, in the order of the document. Unknown and deprecated properties are warnings.
 *
 * The value becomes the typed value: optional properties that are `null`, or an empty string where a string is expected, are removed from it.
 */
export function validate<T>(schema: Schema<T>, value: unknown): Validation<T> {
  const validator = new Validator();
  validator.check(schema, value);
  const { errors, warnings } = validator;
  if (errors.length === 0) return { valid: true, value: value as T, warnings };
  return { valid: false, errors, warnings, wrong: isExpected(schema.node, value) ? validator.wrong : undefined };
}

type Dictionary = Record<string, unknown>;

class Validator {
  readonly errors: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly wrong: Place[] = [];
  /** The way to the object or array being looked into. */
  readonly #steps: PathStep[] = [];
  /** The section that defines the innermost object. */
  #section: string | undefined;

  check(schema: Schema<unknown>, value: unknown): void {
    if (this.#accepts(schema.node, value)) this.#descend(schema.node, value);
  }

  #checkChild(schema: Schema<unknown>, container: Dictionary | readonly unknown[], step: PathStep): void {
    const node = schema.node;
    const value = (container as Dictionary)[step];
    if (!this.#accepts(node, value, step)) {
      this.wrong.push({ container, key: step });
      return;
    }
    if (node.kind !== 'object' && node.kind !== 'array' && node.kind !== 'map') return;
    this.#steps.push(step);
    this.#descend(node, value);
    this.#steps.pop();
  }

  /** Whether the value itself, without what is in it, is as expected; otherwise reports it. */
  #accepts(node: Node, value: unknown, step?: PathStep): boolean {
    if (isExpected(node, value)) return true;
    this.errors.push(this.#problem('type', step, value, `must be ${describeExpected(node, value)}`));
    return false;
  }

  #descend(node: Node, value: unknown): void {
    if (node.kind === 'array') this.#checkArray(node, value as unknown[]);
    else if (node.kind === 'object') this.#withSection(node.section, () => this.#checkObject(node, value as Dictionary));
    else if (node.kind === 'map') this.#withSection(node.section, () => this.#checkMap(node, value as Dictionary));
  }

  #withSection(section: string | undefined, act: () => void): void {
    const outer = this.#section;
    this.#section = section ?? outer;
    act();
    this.#section = outer;
  }

  #checkObject(node: ObjectNode, object: Dictionary): void {
    const required = node.required ?? prepare(node);
    for (const key of Object.keys(object)) {
      const field = node.fields[key];
      if (field === undefined) this.#reportUnknown(node, key);
      else this.#checkProperty(field, object, key);
    }
    for (const key of required) {
      if (object[key] !== undefined) continue;
      this.errors.push(this.#problem('required', key, undefined, 'is required'));
      this.wrong.push({ container: object, key });
    }
  }

  #checkProperty(field: Field, object: Dictionary, key: string): void {
    const value = object[key];
    if (!('optional' in field)) {
      this.#checkChild(field, object, key);
    } else if (isAbsent(field.optional.node, value)) {
      delete object[key];
    } else {
      if (field.deprecated !== undefined)
        this.warnings.push(this.#problem('deprecated', key, undefined, `is deprecated: ${field.deprecated}`));
      this.#checkChild(field.optional, object, key);
    }
  }

  #checkMap(node: MapNode, object: Dictionary): void {
    for (const key of Object.keys(object)) this.#checkChild(node.values, object, key);
  }

  #checkArray(node: ArrayNode, array: readonly unknown[]): void {
    const items = node.items.node;
    // Lists of strings are the bulk of a configuration.
    const areStrings = items.kind === 'string' && items.pattern === undefined;
    for (let index = 0; index < array.length; index++) {
      if (!(areStrings && typeof array[index] === 'string')) this.#checkChild(node.items, array, index);
    }
  }

  #reportUnknown(node: ObjectNode, key: string): void {
    const nearest = findNearestName(key, Object.keys(node.fields));
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    const isError = node.unknown === 'error';
    const message = `is not a known property${isError ? '' : ' and is ignored'}${hint}`;
    (isError ? this.errors : this.warnings).push(this.#problem('unknown-property', key, undefined, message));
  }

  #problem(rule: string, step: PathStep | undefined, value: unknown, message: string): Problem {
    const path = formatPath(step === undefined ? this.#steps : [...this.#steps, step]);
    return { rule, path, value, message, reference: this.#section };
  }
}

/** Makes a node ready for use; not done when it is declared, since most programs use few of the nodes they have. */
function prepare(node: ObjectNode): readonly string[] {
  // Without a prototype, a key such as "constructor" in the input finds no field.
  Object.setPrototypeOf(node.fields, null);
  node.required = Object.keys(node.fields).filter((key) => !isOptional(node.fields[key]));
  return node.required;
}

function isOptional(field: Field | undefined): boolean {
  return field !== undefined && 'optional' in field;
}

function isAbsent(node: Node, value: unknown): boolean {
  return value === null || (value === '' && (node.kind === 'string' || node.kind === 'enum'));
}

function isExpected(node: Node, value: unknown): boolean {
  switch (node.kind) {
    case 'string':
      return typeof value === 'string' && (node.pattern === undefined || node.pattern.test(value));
    case 'enum':
      return typeof value === 'string' && node.values.includes(value);
    case 'integer':
      return isIntegerWithin(node, value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value) && value.length >= node.minItems;
    default:
      return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
}

/**
 * A `number` beyond the safe integers may have been rounded, so it is not taken: `parseJson` gives a `bigint` there. Numbers and bigints are not
 * compared with each other: for QuickJS-ng, -100 >= -(2n ** 63n) is false.
 */
function isIntegerWithin(node: IntegerNode, value: unknown): boolean {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return false;
  if (typeof value !== 'number' && typeof value !== 'bigint') return false;
  const exact = BigInt(value);
  return exact >= BigInt(node.min) && exact <= BigInt(node.max);
}

function describeExpected(node: Node, value: unknown): string {
  switch (node.kind) {
    case 'string':
      return node.expected ?? 'a string';
    case 'enum':
      return describeChoices(node, value);
    case 'integer':
      return `an integer from ${node.min} to ${node.max}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return node.minItems === 0 ? 'an array' : `an array of at least ${node.minItems} element${node.minItems === 1 ? '' : 's'}`;
    default:
      return 'an object';
  }
}

function describeChoices(node: EnumNode, value: unknown): string {
  const nearest = typeof value === 'string' ? findNearestName(value, node.values) : undefined;
  return `one of ${node.values.join(', ')}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`;
}
