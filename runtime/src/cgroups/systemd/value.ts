/** Values of D-Bus, each with its type written as the specification of D-Bus writes it: `s`, `au`, `(sv)`. Pure. */

export type BusValue = string | boolean | number | bigint | readonly BusValue[] | Variant;

export interface Variant {
  readonly signature: string;
  readonly value: BusValue;
}

/** A property of a unit. */
export interface Property extends Variant {
  readonly name: string;
}

/** The complete types of a signature: `sa(sv)u` has `s`, `a(sv)` and `u`. */
export function splitSignature(signature: string): string[] {
  const types: string[] = [];
  for (let start = 0; start < signature.length; ) {
    const end = endOfType(signature, start);
    types.push(signature.slice(start, end));
    start = end;
  }
  return types;
}

function endOfType(signature: string, start: number): number {
  const first = signature[start];
  if (first === 'a') return endOfType(signature, start + 1);
  if (first !== '(' && first !== '{') {
    if (first === undefined || !'ybnqiuxtdsogvh'.includes(first)) throw new SyntaxError(`"${signature}" is not a D-Bus signature`);
    return start + 1;
  }
  const closing = first === '(' ? ')' : '}';
  let at = start + 1;
  while (signature[at] !== closing) at = endOfType(signature, at);
  return at + 1;
}
