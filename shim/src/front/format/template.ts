/** Executing a template on a value: Go's rules of truth and printing, docker's functions. */

import { ContainerError } from '../../container/errors.ts';
import { type Node, type Operand, type Pipeline, parseTemplate, templateError } from './template-parser.ts';

interface Scope {
  readonly dot: unknown;
  readonly variables: ReadonlyMap<string, unknown>;
}

export type Template = (value: unknown) => string;

/** @throws ContainerError invalid for a wrong template, and, when it is executed, for a field that the value does not have */
export function compileTemplate(text: string): Template {
  // Docker turns the two escapes that shells leave alone into what they mean.
  const nodes = parseTemplate(text.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
  return (value) => execute(nodes, { dot: value, variables: new Map([['$', value]]) });
}

function execute(nodes: readonly Node[], scope: Scope): string {
  const variables = new Map(scope.variables);
  const inner = { dot: scope.dot, variables };
  return nodes.map((node) => executeNode(node, inner, variables)).join('');
}

function executeNode(node: Node, scope: Scope, variables: Map<string, unknown>): string {
  if (node.kind === 'text') return node.text;
  const value = evaluate(node.pipeline, scope);
  if (node.kind === 'print') {
    if (node.pipeline.variable === undefined) return print(value);
    variables.set(node.pipeline.variable, value);
    return '';
  }
  if (node.kind === 'range') return executeRange(node, value, scope);
  if (!isTrue(value)) return execute(node.otherwise, scope);
  const declared = node.pipeline.variable === undefined ? scope.variables : new Map([...scope.variables, [node.pipeline.variable, value]]);
  return execute(node.body, { dot: node.kind === 'with' ? value : scope.dot, variables: declared });
}

function executeRange(node: Node & { kind: 'range' }, value: unknown, scope: Scope): string {
  const entries = entriesOf(value);
  if (entries.length === 0) return execute(node.otherwise, scope);
  const [first, second] = node.variables;
  const named = ([key, item]: [unknown, unknown]): [string, unknown][] => {
    if (first === undefined) return [];
    return second === undefined
      ? [[first, item]]
      : [
          [first, key],
          [second, item],
        ];
  };
  return entries.map((entry) => execute(node.body, { dot: entry[1], variables: new Map([...scope.variables, ...named(entry)]) })).join('');
}

function entriesOf(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  // Go ranges over a map by its sorted keys.
  if (isRecord(value)) return Object.entries(value).sort(([a], [b]) => Number(a > b) - Number(a < b));
  return [];
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let last: { readonly value: unknown } | undefined;
  for (const command of pipeline.commands) {
    const [head, ...rest] = command;
    if (head === undefined) continue;
    const extra = last === undefined ? [] : [last.value];
    const args = () => [...rest.map((operand) => operandValue(operand, scope)), ...extra];
    last = { value: head.kind === 'function' ? callFunction(head.name, args()) : plain(head, scope, rest.length + extra.length) };
  }
  return last?.value;
}

function plain(operand: Operand, scope: Scope, argumentCount: number): unknown {
  if (argumentCount > 0) throw templateError('a value is no function and takes no arguments');
  return operandValue(operand, scope);
}

function operandValue(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'field':
      return follow(scope.dot, operand.path);
    case 'variable':
      if (!scope.variables.has(operand.name)) throw templateError(`undefined variable "${operand.name}"`);
      return follow(scope.variables.get(operand.name), operand.path);
    case 'group':
      return follow(evaluate(operand.pipeline, scope), operand.path);
    case 'function':
      return callFunction(operand.name, []);
  }
}

function follow(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((from, name) => {
    if (!isRecord(from))
      throw new ContainerError('invalid', `template: can't evaluate field ${name} in type ${typeName(from)}`, { exitCode: 1 });
    if (!(name in from) && !isMap(from)) {
      throw new ContainerError('invalid', `template: can't evaluate field ${name}`, { exitCode: 1 });
    }
    return from[name];
  }, value);
}

/** Records whose keys are data, such as labels, have no wrong keys. Docker's fields begin with a capital letter. */
function isMap(value: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(value);
  return keys.length === 0 || keys.some((key) => !/^[A-Z][A-Za-z0-9]*$/.test(key));
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  return Array.isArray(value) ? 'slice' : typeof value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isRecord(value)) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

/** As fmt.Print: `[a b]`, `map[k:v]`, `<no value>`. */
export function print(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`;
  if (isRecord(value)) {
    const entries = entriesOf(value);
    return isMap(value)
      ? `map[${entries.map(([key, item]) => `${String(key)}:${print(item)}`).join(' ')}]`
      : `{${Object.values(value).map(print).join(' ')}}`;
  }
  return String(value);
}

type Function = (...args: readonly unknown[]) => unknown;

const text = (value: unknown) => print(value ?? '');
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const same = (a: unknown, b: unknown) => a === b;

const FUNCTIONS: ReadonlyMap<string, Function> = new Map<string, Function>([
  ['json', (value) => JSON.stringify(value ?? null)],
  ['join', (items, separator) => list(items).map(print).join(text(separator))],
  ['split', (value, separator) => text(value).split(text(separator))],
  ['lower', (value) => text(value).toLowerCase()],
  ['upper', (value) => text(value).toUpperCase()],
  ['title', (value) => text(value).replace(/\b\w/g, (letter) => letter.toUpperCase())],
  ['println', (...values) => `${values.map(print).join(' ')}\n`],
  ['print', (...values) => values.map(print).join('')],
  ['printf', (format, ...values) => printf(text(format), values)],
  ['truncate', (value, limit) => [...text(value)].slice(0, Number(limit)).join('')],
  ['pad', (value, before, after) => (text(value) === '' ? '' : ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)))],
  ['len', (value) => (isRecord(value) ? Object.keys(value).length : (Array.isArray(value) ? value : [...text(value)]).length)],
  ['index', (value, ...keys) => keys.reduce<unknown>((from, key) => indexed(from, key), value)],
  [
    'slice',
    (value, from, to) => (Array.isArray(value) ? value : text(value)).slice(Number(from), to === undefined ? undefined : Number(to)),
  ],
  ['not', (value) => !isTrue(value)],
  ['and', (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1)],
  ['or', (...values) => values.find(isTrue) ?? values.at(-1)],
  ['eq', (first, ...others) => others.some((other) => same(first, other))],
  ['ne', (a, b) => !same(a, b)],
  ['lt', (a, b) => Number(a) < Number(b)],
  ['le', (a, b) => Number(a) <= Number(b)],
  ['gt', (a, b) => Number(a) > Number(b)],
  ['ge', (a, b) => Number(a) >= Number(b)],
]);

function callFunction(name: string, args: readonly unknown[]): unknown {
  const found = FUNCTIONS.get(name);
  if (found === undefined) throw templateError(`function "${name}" not defined`);
  return found(...args);
}

function indexed(from: unknown, key: unknown): unknown {
  if (Array.isArray(from)) {
    const at = Number(key);
    if (!(at >= 0 && at < from.length)) throw new ContainerError('invalid', `template: error calling index: index out of range: ${at}`);
    return from[at];
  }
  return isRecord(from) ? (from[String(key)] ?? '') : undefined;
}

function printf(format: string, values: readonly unknown[]): string {
  const queue = [...values];
  return format.replace(/%(-?\d*)(?:\.(\d+))?([sdvqfx%])/g, (_, width: string, digits: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    const value = queue.shift();
    const plainText = verb === 'q' ? JSON.stringify(text(value)) : text(value);
    const shown = verb === 'f' ? Number(value).toFixed(Number(digits ?? 6)) : plainText;
    const columns = Math.abs(Number(width));
    return width.startsWith('-') ? shown.padEnd(columns) : shown.padStart(columns);
  });
}
