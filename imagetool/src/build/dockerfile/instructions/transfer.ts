/** COPY and ADD: files into the image. */

import type { AddInstruction, CopyInstruction, Heredoc, Word } from '../ast.ts';
import { ProblemError } from '../error.ts';
import { parseExecForm } from '../exec-form.ts';
import type { Flags } from '../flags.ts';
import { parseHeredoc } from '../heredocs.ts';
import { flagsOf, type InstructionParts } from '../instruction-parts.ts';
import { Span } from '../span.ts';

const COMMON = { chown: 'value', chmod: 'value', link: 'boolean', exclude: 'values' } as const;

export function parseCopy(parts: InstructionParts): CopyInstruction {
  const flags = flagsOf(parts, { ...COMMON, from: 'value', parents: 'boolean' });
  const from = flags.value('from');
  if (from !== undefined && /\$./.test(from.text)) {
    throw new ProblemError(from.range, '--from takes no variables', 'Name a stage with FROM and the variable, and use its name here.');
  }
  return {
    ...parts.base,
    kind: 'COPY',
    ...transferOf(parts, flags),
    // Empty: the build's context, as without the flag.
    ...(from === undefined || from.text === '' ? {} : { from }),
    parents: flags.boolean('parents') ?? false,
  };
}

export function parseAdd(parts: InstructionParts): AddInstruction {
  const flags = flagsOf(parts, { ...COMMON, checksum: 'value', 'keep-git-dir': 'boolean', unpack: 'boolean' });
  const checksum = flags.value('checksum');
  const keepGitDir = flags.boolean('keep-git-dir');
  const unpack = flags.boolean('unpack');
  return {
    ...parts.base,
    kind: 'ADD',
    ...transferOf(parts, flags),
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}

function transferOf(parts: InstructionParts, flags: Flags) {
  const words = parseExecForm(parts.rest) ?? parts.rest.split().map((word) => word.toWord());
  const destination = words.at(-1);
  if (words.length < 2 || destination === undefined) {
    const lacks = words.length === 0 ? 'a source and a destination' : 'a destination after its source';
    throw new ProblemError(parts.base.keyword.range, `${parts.name} needs ${lacks}`);
  }
  if (isHeredoc(destination)) throw new ProblemError(destination.range, `a heredoc cannot be the destination of ${parts.name}`);
  const sources = words.slice(0, -1);
  const heredocs = sources.flatMap((word) => heredocOf(parts, word) ?? []);
  if (parts.heredocs.length > heredocs.length) {
    throw new ProblemError(parts.rest.range, 'the heredoc is no word of its own', 'Write <<NAME without a blank, and alone.');
  }
  const chown = flags.value('chown');
  const chmod = flags.value('chmod');
  return {
    sources: sources.filter((word) => !isHeredoc(word)),
    heredocs,
    destination,
    ...(chown === undefined ? {} : { chown }),
    ...(chmod === undefined ? {} : { chmod }),
    link: flags.boolean('link') ?? false,
    excludes: flags.values('exclude'),
  };
}

function isHeredoc(word: Word): boolean {
  return markerOf(word) !== undefined;
}

function markerOf(word: Word) {
  return parseHeredoc(Span.of([{ text: word.text, ...word.range.start }]));
}

function heredocOf(parts: InstructionParts, word: Word): Heredoc | undefined {
  const marker = markerOf(word);
  if (marker === undefined) return undefined;
  const { line, column } = word.range.start;
  const found = parts.heredocs.find(({ range: { start } }) => start.line === line && start.column === column);
  if (found === undefined)
    throw new ProblemError(word.range, `${word.text} has no body`, 'In the form with brackets there are no heredocs.');
  return found;
}
