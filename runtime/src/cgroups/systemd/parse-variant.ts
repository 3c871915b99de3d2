/**
 * The text form of GVariant (docs.gtk.org/glib/gvariant-text-format.html), in which annotations `org.systemd.property.*` give their values:
 * `true`, `uint64 5`, `'text'`, `['a', 'b']`, `@as []`, `('x', 1)`. Pure.
 */
import { type BusValue, splitSignature, type Variant } from './value.ts';

type Node =
  | { readonly kind: 'number' | 'string'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'array' | 'tuple'; readonly items: readonly Node[] }
  | { readonly kind: 'variant'; readonly item: Node }
  | { readonly kind: 'typed'; readonly signature: string; readonly item: Node };

const TYPE_NAMES: Readonly<Record<string, string>> = {
  boolean: 'b',
  byte: 'y',
  int16: 'n',
  uint16: 'q',
  int32: 'i',
  uint32: 'u',
  int64: 'x',
  uint64: 't',
  double: 'd',
  string: 's',
  objectpath: 'o',
  signature: 'g',
};

const TOKEN = /\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(@[a-z(){}]+)|([a-z]+\d*)|([-+]?[0-9][0-9a-zA-Z.+-]*)|([[\](),<>]))/y;

/** @throws SyntaxError */
export function parseVariant(text: string): Variant {
  const tokens = tokenize(text);
  const node = readNode(tokens);
  if (tokens.length > 0) throw new SyntaxError(`unexpected ${tokens[0]} after the value`);
  const signature = signatureOf(node);
  return { signature, value: typedValue(node, signature) };
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end; ) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`unexpected text at ${JSON.stringify(text.slice(at, at + 20))}`);
    tokens.push(match[0].trimStart());
  }
  return tokens;
}

function readNode(tokens: string[]): Node {
  const token = tokens.shift();
  if (token === undefined) throw new SyntaxError('the value ends too early');
  if (token.startsWith('@')) return { kind: 'typed', signature: token.slice(1), item: readNode(tokens) };
  if (token.startsWith("'") || token.startsWith('"')) return { kind: 'string', text: unquote(token) };
  if (token === 'true' || token === 'false') return { kind: 'boolean', value: token === 'true' };
  if (token === '[') return { kind: 'array', items: readItems(tokens, ']') };
  if (token === '(') return { kind: 'tuple', items: readItems(tokens, ')') };
  if (token === '<') {
    const item = readNode(tokens);
    if (tokens.shift() !== '>') throw new SyntaxError('a variant is not closed');
    return { kind: 'variant', item };
  }
  const signature = TYPE_NAMES[token];
  if (signature !== undefined) return { kind: 'typed', signature, item: readNode(tokens) };
  if (/^[-+]?\d/.test(token)) return { kind: 'number', text: token };
  throw new SyntaxError(`unexpected ${token}`);
}

function readItems(tokens: string[], closing: string): Node[] {
  const items: Node[] = [];
  while (tokens[0] !== closing) {
    items.push(readNode(tokens));
    if (tokens[0] === ',') tokens.shift();
    else if (tokens[0] !== closing) throw new SyntaxError(`expected , or ${closing}`);
  }
  tokens.shift();
  return items;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

function unquote(token: string): string {
  return token.slice(1, -1).replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/g, (_, sequence: string) => {
    if (/^[uU]./.test(sequence)) return String.fromCodePoint(Number.parseInt(sequence.slice(1), 16));
    return ESCAPES[sequence] ?? sequence;
  });
}

/** Integers are int32, and numbers with a point or an exponent double, where nothing else is said. */
function signatureOf(node: Node): string {
  switch (node.kind) {
    case 'number':
      return isDecimal(node.text) ? 'd' : 'i';
    case 'string':
      return 's';
    case 'boolean':
      return 'b';
    case 'variant':
      return 'v';
    case 'typed':
      return node.signature;
    case 'tuple':
      return `(${node.items.map(signatureOf).join('')})`;
    case 'array': {
      const first = node.items[0];
      if (first === undefined) throw new SyntaxError('an empty array needs its type, as in @as []');
      return `a${signatureOf(first)}`;
    }
  }
}

function isDecimal(text: string): boolean {
  return !/^[-+]?0x/i.test(text) && /[.eE]/.test(text);
}

function typedValue(node: Node, signature: string): BusValue {
  if (node.kind === 'typed') {
    if (node.signature !== signature) throw new SyntaxError(`a value of type ${node.signature} where ${signature} is expected`);
    return typedValue(node.item, signature);
  }
  if (node.kind === 'variant' && signature === 'v') {
    const inner = signatureOf(node.item);
    return { signature: inner, value: typedValue(node.item, inner) };
  }
  if (node.kind === 'array' && signature.startsWith('a')) return node.items.map((item) => typedValue(item, signature.slice(1)));
  if (node.kind === 'tuple' && signature.startsWith('(')) {
    const types = splitSignature(signature.slice(1, -1));
    if (types.length !== node.items.length) throw new SyntaxError(`${signature} has ${types.length} members`);
    return node.items.map((item, index) => typedValue(item, types[index] ?? ''));
  }
  if (node.kind === 'string' && 'sog'.includes(signature)) return node.text;
  if (node.kind === 'boolean' && signature === 'b') return node.value;
  if (node.kind === 'number') return numberOf(node.text, signature);
  throw new SyntaxError(`a ${node.kind} where ${signature} is expected`);
}

const INTEGER_BITS: Readonly<Record<string, readonly [bits: number, signed: boolean]>> = {
  y: [8, false],
  n: [16, true],
  q: [16, false],
  i: [32, true],
  u: [32, false],
  x: [64, true],
  t: [64, false],
};

function numberOf(text: string, signature: string): BusValue {
  if (signature === 'd') {
    const value = Number(text);
    if (Number.isNaN(value)) throw new SyntaxError(`${text} is not a number`);
    return value;
  }
  const range = INTEGER_BITS[signature];
  if (range === undefined || !/^[-+]?(0x[0-9a-f]+|\d+)$/i.test(text)) throw new SyntaxError(`${text} where ${signature} is expected`);
  const magnitude = BigInt(text.replace(/^[-+]/, ''));
  const value = text.startsWith('-') ? -magnitude : magnitude;
  const [bits, signed] = range;
  if ((signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) !== value)
    throw new SyntaxError(`${text} does not fit into ${signature}`);
  return value;
}
