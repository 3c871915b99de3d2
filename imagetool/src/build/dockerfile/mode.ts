/** chmod's argument, in octal or in letters (chmod(1)); without a umask. */

import type { ModeChange, ModeClause } from './expanded.ts';

const ALL = 0o7777;
const STICKY = 0o1000;
const SET_IDS = 0o6000;
const EXECUTE = 0o111;
const CLASSES: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o0007, a: 0o6777 };
const PERMISSIONS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: EXECUTE, s: SET_IDS, t: STICKY };
const SHIFTS = { u: 6, g: 3, o: 0 } as const;

/** Undefined where the text is neither. */
export function parseMode(text: string): ModeChange | undefined {
  if (/^\d/.test(text)) return /^0*[0-7]{1,4}$/.test(text) ? { form: 'octal', text, mode: Number.parseInt(text, 8) } : undefined;
  const clauses: ModeClause[] = [];
  for (const part of text.split(',')) {
    const [, who, operations] = /^([ugoa]*)((?:[+=-](?:[rwxXst]*|[ugo]))+)$/.exec(part) ?? [];
    if (who === undefined || operations === undefined) return undefined;
    for (const [, operation, letters = ''] of operations.matchAll(/([+=-])([^+=-]*)/g)) {
      if (operation === '+' || operation === '-' || operation === '=') clauses.push(clauseOf(who, operation, letters));
    }
  }
  return { form: 'symbolic', text, clauses };
}

function clauseOf(who: string, operation: ModeClause['operation'], letters: string): ModeClause {
  const classes = who === '' ? 'a' : who;
  const named = [...classes].reduce((mask, one) => mask | (CLASSES[one] ?? 0), 0);
  if (letters === 'u' || letters === 'g' || letters === 'o') {
    return { who: named, operation, permissions: 0, conditionalExecute: false, copyFrom: letters };
  }
  // The sticky bit belongs to nobody: it is changed where it is named, unless only for others.
  const hasSticky = letters.includes('t') && classes !== 'o';
  const permissions = [...letters].reduce((mask, one) => mask | (PERMISSIONS[one] ?? 0), 0);
  return {
    who: hasSticky ? named | STICKY : named,
    operation,
    // Taking X away takes execution away.
    permissions: operation === '-' && letters.includes('X') ? permissions | EXECUTE : permissions,
    conditionalExecute: operation !== '-' && letters.includes('X'),
  };
}

/** `mode`'s twelve bits after the change. */
export function applyMode(change: ModeChange, mode: number, { isDirectory }: { readonly isDirectory: boolean }): number {
  if (change.form === 'octal') return change.mode;
  return change.clauses.reduce((before, clause) => applyClause(clause, before, isDirectory || (mode & EXECUTE) !== 0), mode & ALL);
}

function applyClause(clause: ModeClause, mode: number, mayExecute: boolean): number {
  const { who, operation } = clause;
  const execute = clause.conditionalExecute && mayExecute ? EXECUTE : 0;
  const copied = clause.copyFrom === undefined ? 0 : ((mode >> SHIFTS[clause.copyFrom]) & 0o7) * 0o111;
  const bits = (clause.permissions | execute | copied) & who;
  if (operation === '+') return mode | bits;
  if (operation === '-') return mode & ~bits;
  return (mode & ~who) | bits;
}
