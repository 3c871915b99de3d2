/** `# syntax=`, `# escape=` and `# check=` at the top of a file. */

import type { Directive, Escape } from './ast.ts';
import type { Problem } from './error.ts';
import type { Source } from './source.ts';

const NAMES: readonly Directive['name'][] = ['syntax', 'escape', 'check'];

export interface Directives {
  readonly directives: readonly Directive[];
  readonly escape: Escape;
  /** How many lines they take. */
  readonly lineCount: number;
  readonly problems: readonly Problem[];
}

/** The first line that is no directive ends them, be it a comment or blank: a directive below is a comment. */
export function parseDirectives(source: Source): Directives {
  const directives: Directive[] = [];
  const problems: Problem[] = [];
  let token: Escape = '\\';
  for (const [index, line] of source.lines.entries()) {
    const directive = parseDirective(line, index + 1);
    if (directive === undefined) break;
    if (directives.some((one) => one.name === directive.name)) {
      problems.push({ range: directive.range, reason: `there can be only one ${directive.name} directive` });
    }
    if (directive.name === 'escape') {
      if (directive.value === '\\' || directive.value === '`') token = directive.value;
      else problems.push({ range: directive.range, reason: `escape=${directive.value}: it has to be \\ or \`` });
    }
    directives.push(directive);
  }
  return { directives, escape: token, lineCount: directives.length, problems };
}

function parseDirective(line: string, number: number): Directive | undefined {
  const [, lead = '', key = '', value = ''] = /^(\s*)#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
  const name = NAMES.find((one) => one === key.toLowerCase());
  if (name === undefined) return undefined;
  const range = { start: { line: number, column: lead.length + 1 }, end: { line: number, column: line.trimEnd().length + 1 } };
  return { name, value, range };
}

/** Of a comment above an instruction: `check=skip=…` holds for that instruction alone. */
export function checkOfComment(comment: string): string | undefined {
  return /^check\s*=\s*(.+?)\s*$/i.exec(comment)?.[1];
}
