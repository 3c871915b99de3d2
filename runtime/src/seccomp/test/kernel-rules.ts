/** What the kernel demands of a filter before it loads it (kernel/seccomp.c, net/core/filter.c). */
import {
  AND,
  DATA_BYTES,
  decodeInstructions,
  JUMP,
  JUMP_EQUAL,
  JUMP_GREATER,
  JUMP_GREATER_OR_EQUAL,
  JUMP_SET,
  LOAD_WORD,
  RETURN,
} from '../classic-bpf.ts';

const BRANCHES: readonly number[] = [JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, JUMP_SET];

/** What is wrong with a program; nothing when the kernel would take it. */
export function complaints(program: ArrayBuffer): string[] {
  const instructions = decodeInstructions(program);
  const count = instructions.length;
  const found = instructions.flatMap(({ code, whenTrue, whenFalse, operand }, index) => {
    const inside = (distance: number): boolean => index + 1 + distance < count;
    if (code === RETURN || code === AND) return [];
    if (code === LOAD_WORD) return operand % 4 === 0 && operand < DATA_BYTES ? [] : [`${index}: loads from ${operand}`];
    if (code === JUMP) return inside(operand) ? [] : [`${index}: jumps over the end`];
    if (!BRANCHES.includes(code)) return [`${index}: unknown code ${code}`];
    return inside(whenTrue) && inside(whenFalse) ? [] : [`${index}: branches over the end`];
  });
  if (count === 0 || count > 4096) found.push(`${count} instructions`);
  if (instructions.at(-1)?.code !== RETURN) found.push('does not end with an answer');
  return found;
}
