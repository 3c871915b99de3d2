/** The part of Go's text/template that `--format` is used with: fields, functions, pipes, variables, `if`, `range`, `with`. */

import { ContainerError } from '../../container/errors.ts';

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'if' | 'with'; readonly pipeline: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | {
      readonly kind: 'range';
      readonly pipeline: Pipeline;
      /** `$key, $value :=` */
      readonly variables: readonly string[];
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Each command is given the value of the one before it as its last argument. */
export interface Pipeline {
  /** `$x :=` */
  readonly variable?: string;
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand =
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'group'; readonly pipeline: Pipeline; readonly path: readonly string[] };

export function templateError(message: string): ContainerError {
  return new ContainerError('invalid', `template parsing error: template: :1: ${message}`, { exitCode: 64 });
}

/** @throws ContainerError invalid */
export function parseTemplate(text: string): Node[] {
  const pieces = split(text);
  const { nodes, end } = parseBody(pieces, 0);
  if (end < pieces.length) throw templateError(`unexpected {{${pieces[end]?.text ?? ''}}}`);
  return nodes;
}

interface Piece {
  readonly isAction: boolean;
  readonly text: string;
}

function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{(- )?\s*((?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`])*?)(?:\s+(-))?\s*\}\}/g)) {
    let before = textFrom(text, at, match.index);
    if (match[1] !== undefined) before = before.trimEnd();
    if (before !== '') pieces.push({ isAction: false, text: before });
    if (!(match[2] ?? '').startsWith('/*')) pieces.push({ isAction: true, text: match[2] ?? '' });
    at = match.index + match[0].length;
  }
  const rest = textFrom(text, at, text.length);
  if (rest.includes('{{')) throw templateError('unclosed action');
  if (rest !== '') pieces.push({ isAction: false, text: rest });
  return pieces;
}

/** An action that ends with ` -}}` swallows the space after it. */
function textFrom(text: string, start: number, end: number): string {
  const plain = text.slice(start, end);
  return text.slice(0, start).endsWith(' -}}') ? plain.trimStart() : plain;
}

function parseBody(pieces: readonly Piece[], start: number): { nodes: Node[]; end: number } {
  const nodes: Node[] = [];
  let at = start;
  while (at < pieces.length) {
    const piece = pieces[at];
    if (piece === undefined) break;
    const word = /^\w+/.exec(piece.text)?.[0] ?? '';
    if (!piece.isAction) nodes.push({ kind: 'text', text: piece.text });
    else if (word === 'end' || word === 'else') return { nodes, end: at };
    else if (word === 'if' || word === 'with' || word === 'range') {
      const block = parseBlock(pieces, at, word);
      nodes.push(block.node);
      at = block.end;
    } else nodes.push({ kind: 'print', pipeline: parsePipeline(piece.text) });
    at += 1;
  }
  return { nodes, end: at };
}

/** `end` is the place of the block's `{{end}}`. */
function parseBlock(pieces: readonly Piece[], at: number, word: 'if' | 'with' | 'range'): { node: Node; end: number } {
  const head = (pieces[at]?.text ?? '').slice(word.length).trim();
  const body = parseBody(pieces, at + 1);
  const stop = pieces[body.end]?.text;
  if (stop === undefined) throw templateError('unexpected EOF');
  let otherwise: Node[] = [];
  let end = body.end;
  if (stop.startsWith('else if')) {
    const nested = parseBlock(
      [...pieces.slice(0, body.end), { isAction: true, text: stop.slice('else '.length) }, ...pieces.slice(body.end + 1)],
      body.end,
      'if',
    );
    otherwise = [nested.node];
    end = nested.end;
  } else if (stop === 'else') {
    const rest = parseBody(pieces, body.end + 1);
    if (pieces[rest.end] === undefined) throw templateError('unexpected EOF');
    otherwise = rest.nodes;
    end = rest.end;
  }
  if (word !== 'range') return { node: { kind: word, pipeline: parsePipeline(head), body: body.nodes, otherwise }, end };
  const declared = /^(\$\w+)(?:\s*,\s*(\$\w+))?\s*:=\s*/.exec(head);
  const variables = declared === null ? [] : [declared[1], declared[2]].filter((name) => name !== undefined);
  const pipeline = parsePipeline(head.slice(declared?.[0].length ?? 0));
  return { node: { kind: 'range', pipeline, variables, body: body.nodes, otherwise }, end };
}

const TOKEN = /\s*("(?:\\.|[^"\\])*"|`[^`]*`|-?\d+(?:\.\d+)?|[$][\w]*(?:\.\w+)*|(?:\.\w+)+|\.|\(|\)|\||:=|\w+)/y;

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      if (text.slice(at).trim() === '') break;
      throw templateError(`unexpected ${JSON.stringify(text.slice(at).trim())} in operand`);
    }
    found.push(match[1] ?? '');
  }
  return found;
}

export function parsePipeline(text: string): Pipeline {
  const queue = tokens(text);
  const pipeline = takePipeline(queue, false);
  if (queue.length > 0) throw templateError(`unexpected ${JSON.stringify(queue[0])} in command`);
  return pipeline;
}

function takePipeline(queue: string[], isGroup: boolean): Pipeline {
  let variable: string | undefined;
  if (queue[0]?.startsWith('$') === true && queue[1] === ':=') {
    variable = queue.shift();
    queue.shift();
  }
  const commands: Operand[][] = [[]];
  for (let token = queue.shift(); token !== undefined && !(isGroup && token === ')'); token = queue.shift()) {
    if (token === '|') commands.push([]);
    else commands.at(-1)?.push(operandOf(token, queue));
  }
  if (commands.some((command) => command.length === 0)) throw templateError('missing value for command');
  return { commands, ...(variable === undefined ? {} : { variable }) };
}

function operandOf(token: string, queue: string[]): Operand {
  if (token === '(') {
    const pipeline = takePipeline(queue, true);
    const path = queue[0]?.startsWith('.') === true && queue[0].length > 1 ? (queue.shift() ?? '') : '';
    return { kind: 'group', pipeline, path: path.split('.').filter((name) => name !== '') };
  }
  if (token.startsWith('"')) return { kind: 'literal', value: JSON.parse(token) as string };
  if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1) };
  if (token.startsWith('.')) return { kind: 'field', path: token.split('.').filter((name) => name !== '') };
  if (token.startsWith('$')) {
    const [name = '$', ...path] = token.split('.');
    return { kind: 'variable', name, path };
  }
  if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) };
  if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
  if (token === 'nil') return { kind: 'literal', value: null };
  if (/^\w+$/.test(token)) return { kind: 'function', name: token };
  throw templateError(`unexpected ${JSON.stringify(token)} in operand`);
}
