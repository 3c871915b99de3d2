/** From the text of a Dockerfile to its tree. */

import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, Stage, StageInstruction } from './ast.ts';
import { parseDirectives } from './directives.ts';
import { DockerfileError, type Problem } from './error.ts';
import { LineReader } from './line-reader.ts';
import { InstructionReader } from './read-instruction.ts';
import { type Range, type Source, sourceOf } from './source.ts';

/** After so many problems the rest of a file is not worth reading. */
const MOST_PROBLEMS = 20;

/** Throws DockerfileError with every problem found. */
export function parseDockerfile(text: string, name = 'Dockerfile'): Dockerfile {
  const source = sourceOf(name, text);
  const { directives, escape: token, lineCount, problems: found } = parseDirectives(source);
  const problems = [...found];
  const reader = new InstructionReader(new LineReader(source, token, lineCount), token, problems);
  const instructions: Instruction[] = [];
  for (let next = reader.next(); next !== undefined && problems.length < MOST_PROBLEMS; next = reader.next()) {
    if (next !== 'bad') instructions.push(next);
  }
  const { globals, stages } = assemble(instructions, problems);
  const [first, ...others] = stages;
  if (first === undefined && problems.length === 0) problems.push(noStage(source, instructions));
  throwIfAny(source, problems);
  if (first === undefined) throw new DockerfileError(source, [noStage(source, instructions)]);
  return { source, escape: token, directives, globals, stages: [first, ...others], emptyContinuations: reader.emptyContinuations };
}

/** An ONBUILD trigger out of the configuration of an image; `name` is that image's. Throws DockerfileError. */
export function parseTrigger(expression: string, name: string): StageInstruction {
  const source = sourceOf(`ONBUILD of ${name}`, expression);
  const problems: Problem[] = [];
  const reader = new InstructionReader(new LineReader(source, '\\', 0), '\\', problems);
  const instruction = reader.next();
  const more = reader.next();
  throwIfAny(source, problems);
  const whole: Range = { start: { line: 1, column: 1 }, end: { line: 1, column: (source.lines[0]?.length ?? 0) + 1 } };
  if (instruction === undefined || instruction === 'bad' || more !== undefined) {
    throw new DockerfileError(source, [{ range: whole, reason: 'a trigger is exactly one instruction' }]);
  }
  if (instruction.kind === 'FROM' || instruction.kind === 'ONBUILD' || instruction.kind === 'MAINTAINER') {
    throw new DockerfileError(source, [{ range: whole, reason: `${instruction.kind} cannot be a trigger` }]);
  }
  return instruction;
}

function throwIfAny(source: Source, problems: readonly Problem[]): void {
  const [first, ...others] = problems.toSorted(
    ({ range: { start: a } }, { range: { start: b } }) => a.line - b.line || a.column - b.column,
  );
  if (first !== undefined) throw new DockerfileError(source, [first, ...others]);
}

function assemble(instructions: readonly Instruction[], problems: Problem[]) {
  const globals: ArgInstruction[] = [];
  const stages: { from: FromInstruction; instructions: StageInstruction[] }[] = [];
  for (const instruction of instructions) {
    const stage = stages.at(-1);
    if (instruction.kind === 'FROM') stages.push({ from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'ARG') globals.push(instruction);
    // Behind the first problem FROM itself may be what was not understood.
    else if (problems.length === 0) {
      const reason = `${instruction.kind} stands before the first FROM: only ARG can`;
      problems.push({ range: instruction.keyword.range, reason });
    }
  }
  return {
    globals,
    stages: stages.map(({ from, instructions: own }, index): Stage => {
      const name = from.as?.name.text.toLowerCase();
      return { index, ...(name === undefined ? {} : { name }), from, instructions: own };
    }),
  };
}

function noStage(source: Source, instructions: readonly Instruction[]): Problem {
  const start = { line: Math.max(1, source.lines.length), column: 1 };
  return {
    range: { start, end: start },
    reason: instructions.length === 0 ? 'there is no instruction' : 'there is no FROM',
    hint: 'A Dockerfile begins with FROM image, or FROM scratch.',
  };
}
