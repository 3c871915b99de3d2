/** One instruction after the other, each read by its kind. */

import { findNearestName } from '../../../../specs/schema/nearest-name.ts';
import type { Escape, Heredoc, Instruction, InstructionBase, InstructionKind, OnbuildInstruction } from './ast.ts';
import { type Problem, ProblemError } from './error.ts';
import { parseExecForm } from './exec-form.ts';
import { findHeredocs } from './heredocs.ts';
import { flagsOf, type InstructionParts } from './instruction-parts.ts';
import { parseCmd, parseEntrypoint, parseRun, parseShell } from './instructions/command.ts';
import { parseFrom } from './instructions/from.ts';
import { parseHealthcheck } from './instructions/healthcheck.ts';
import { parseExpose, parseMaintainer, parseStopsignal, parseUser, parseVolume, parseWorkdir } from './instructions/settings.ts';
import { parseAdd, parseCopy } from './instructions/transfer.ts';
import { parseArg, parseEnv, parseLabel } from './instructions/variables.ts';
import type { LineReader, LogicalLine } from './line-reader.ts';
import type { Position, Range } from './source.ts';
import type { Span } from './span.ts';
import { type RawFlag, takeFlags } from './words.ts';

type Parser = (parts: InstructionParts) => Instruction;

const PARSERS: ReadonlyMap<string, Parser> = new Map<Exclude<InstructionKind, 'ONBUILD'>, Parser>([
  ['FROM', parseFrom],
  ['ARG', parseArg],
  ['ENV', parseEnv],
  ['LABEL', parseLabel],
  ['RUN', parseRun],
  ['COPY', parseCopy],
  ['ADD', parseAdd],
  ['WORKDIR', parseWorkdir],
  ['USER', parseUser],
  ['EXPOSE', parseExpose],
  ['VOLUME', parseVolume],
  ['CMD', parseCmd],
  ['ENTRYPOINT', parseEntrypoint],
  ['SHELL', parseShell],
  ['STOPSIGNAL', parseStopsignal],
  ['HEALTHCHECK', parseHealthcheck],
  ['MAINTAINER', parseMaintainer],
]);

const NAMES: readonly string[] = [...PARSERS.keys(), 'ONBUILD'];

/** These may have heredocs, also behind ONBUILD. */
const WITH_HEREDOCS = ['RUN', 'COPY', 'ADD'];

/** The text of an instruction in its first parts. */
interface Head {
  readonly span: Span;
  readonly keyword: Span;
  /** In upper case. */
  readonly name: string;
  readonly flags: readonly RawFlag[];
  readonly rest: Span;
}

export class InstructionReader {
  /** Of all instructions read. */
  readonly emptyContinuations: Range[] = [];
  readonly #lines: LineReader;
  readonly #escape: Escape;
  readonly #problems: Problem[];
  #lastEnd: Position = { line: 0, column: 1 };

  /** What is wrong goes into `problems`. */
  constructor(lines: LineReader, token: Escape, problems: Problem[]) {
    this.#lines = lines;
    this.#escape = token;
    this.#problems = problems;
  }

  /** `bad`: there was one, but it is in `problems`. Undefined at the end. */
  next(): Instruction | 'bad' | undefined {
    const line = this.#lines.next();
    if (line === undefined) return undefined;
    this.emptyContinuations.push(...line.emptyContinuations);
    try {
      return this.#read(line);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.#problems.push(error.problem);
      return 'bad';
    } finally {
      this.#lastEnd = line.end;
    }
  }

  #read(line: LogicalLine): Instruction {
    const head = this.#headOf(line.span);
    const inner = head.name === 'ONBUILD' && head.rest.text !== '' ? this.#headOf(head.rest) : undefined;
    const carrier = inner ?? head;
    if (!NAMES.includes(head.name)) throw this.#unknown(head.keyword);
    const heredocs = mayHaveHeredocs(carrier) ? this.#takeHeredocs(line) : [];
    const base = { comments: line.comments, range: { start: line.start, end: endOf(line, heredocs) } };
    if (head.name === 'ONBUILD') return this.#onbuild(head, inner, base, heredocs);
    return this.#parse(head, base, heredocs);
  }

  #headOf(span: Span): Head {
    const [keyword, arguments_] = span.splitOnce();
    const { flags, rest } = takeFlags(arguments_ ?? span.slice(span.text.length), this.#escape);
    return { span, keyword, name: keyword.text.toUpperCase(), flags, rest };
  }

  #parse(head: Head, base: Pick<InstructionBase, 'comments' | 'range'>, heredocs: readonly Heredoc[]): Instruction {
    const parser = PARSERS.get(head.name);
    if (parser === undefined) throw this.#unknown(head.keyword);
    return parser({
      base: { ...base, keyword: head.keyword.toWord(), code: head.span.text },
      name: head.name,
      flags: head.flags,
      rest: head.rest,
      heredocs,
      escape: this.#escape,
    });
  }

  #onbuild(
    head: Head,
    inner: Head | undefined,
    base: Pick<InstructionBase, 'comments' | 'range'>,
    heredocs: readonly Heredoc[],
  ): OnbuildInstruction {
    const whole = { ...base, keyword: head.keyword.toWord(), code: head.span.text };
    if (inner === undefined) throw new ProblemError(head.keyword.range, 'ONBUILD needs an instruction');
    flagsOf({ base: whole, name: head.name, flags: head.flags, rest: head.rest, heredocs, escape: this.#escape });
    if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(inner.name)) {
      throw new ProblemError(inner.keyword.range, `${inner.name} cannot be behind ONBUILD`);
    }
    const trigger = this.#parse(inner, { comments: [], range: { start: inner.span.range.start, end: base.range.end } }, heredocs);
    if (trigger.kind === 'FROM') throw new ProblemError(inner.keyword.range, 'FROM cannot be behind ONBUILD');
    const bodies = heredocs.map(({ body, name }) => `\n${body}${name}`);
    return { ...whole, kind: 'ONBUILD', trigger, expression: [inner.span.text, ...bodies].join('') };
  }

  #takeHeredocs(line: LogicalLine): Heredoc[] {
    return findHeredocs(line.span).map(({ name, expands, chomps, span }) => {
      const body = this.#lines.takeBody(name, chomps);
      if (body === undefined) {
        throw new ProblemError(span.range, `the heredoc ${name} does not end`, `A line that is ${name}, and nothing else, ends it.`);
      }
      return { name, expands, chomps, body: body.text, range: span.range, bodyStart: body.start, end: body.end };
    });
  }

  #unknown(keyword: Span): ProblemError {
    const nearest = findNearestName(keyword.text, NAMES);
    return new ProblemError(keyword.range, `there is no instruction ${JSON.stringify(keyword.text)}`, this.#hintFor(keyword, nearest));
  }

  #hintFor(keyword: Span, nearest: string | undefined): string | undefined {
    const beforeBlank = /^[A-Za-z]+(?=[\u00A0\u2000-\u200B\u202F\u3000\uFEFF])/.exec(keyword.text)?.[0];
    if (beforeBlank !== undefined) return `What comes after ${beforeBlank} looks like a blank, but is another character: type it again.`;
    if (nearest !== undefined) return `Did you mean ${nearest}?`;
    if (this.#lastEnd.line === keyword.range.start.line - 1) return `Does line ${this.#lastEnd.line} lack a ${this.#escape} at its end?`;
    return undefined;
  }
}

function mayHaveHeredocs({ name, rest }: Head): boolean {
  return WITH_HEREDOCS.includes(name) && parseExecForm(rest) === undefined;
}

function endOf(line: LogicalLine, heredocs: readonly Heredoc[]): Position {
  return heredocs.at(-1)?.end ?? line.end;
}
