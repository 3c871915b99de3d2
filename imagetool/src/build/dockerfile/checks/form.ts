/** How instructions are written. */

import type { Dockerfile, Instruction, StageInstruction } from '../ast.ts';
import { looksLikeExecForm } from '../exec-form.ts';
import type { Report } from './finding.ts';

export function checkForm(file: Dockerfile, report: Report): void {
  for (const range of file.emptyContinuations) report('NoEmptyContinuation', range, 'A blank line inside an instruction');
  checkCasing(file, report);
  for (const instruction of file.globals) checkDescription(instruction, report);
  for (const { from, instructions } of file.stages) {
    checkDescription(from, report);
    for (const instruction of instructions) {
      checkDescription(instruction, report);
      checkOne(instruction, report);
    }
  }
}

function checkOne(instruction: StageInstruction, report: Report): void {
  const { keyword, comments } = instruction;
  if (instruction.kind === 'MAINTAINER') {
    report('MaintainerDeprecated', keyword.range, 'MAINTAINER is deprecated: write LABEL org.opencontainers.image.authors=…', comments);
  } else if ((instruction.kind === 'ENV' || instruction.kind === 'LABEL') && instruction.legacy) {
    const name = instruction.pairs[0]?.name.text ?? '';
    report('LegacyKeyValueFormat', instruction.range, `Write ${instruction.kind} ${name}=value, with an equals sign`, comments);
  }
}

/** The case of most instructions is the one to keep to; a mixed one is in nobody's favour. */
function checkCasing(file: Dockerfile, report: Report): void {
  const all: Instruction[] = file.stages.flatMap(({ from, instructions }) => [from, ...instructions]);
  const lower = all.filter(({ keyword: { text } }) => text === text.toLowerCase()).length;
  const upper = all.filter(({ keyword: { text } }) => text === text.toUpperCase()).length;
  const wanted = lower > upper ? 'lower' : 'upper';
  for (const { keyword, comments } of all) {
    const right = wanted === 'lower' ? keyword.text.toLowerCase() : keyword.text.toUpperCase();
    if (keyword.text !== right)
      report('ConsistentInstructionCasing', keyword.range, `${keyword.text} should be ${right}, as most instructions are`, comments);
  }
}

function checkDescription(instruction: Instruction, report: Report): void {
  const last = instruction.comments.at(-1);
  const names = describedNames(instruction);
  if (last === undefined || names.length === 0 || names.some((name) => last.split(' ')[0] === name)) return;
  const example = names.length === 1 ? names[0] : 'name';
  report(
    'InvalidDefinitionDescription',
    instruction.range,
    `The comment above should be "# ${example} description", or be set off by a blank line`,
    instruction.comments,
  );
}

function describedNames(instruction: Instruction): readonly string[] {
  if (instruction.kind === 'ARG') return instruction.arguments.map(({ name }) => name.text);
  if (instruction.kind === 'FROM' && instruction.as !== undefined) return [instruction.as.name.text.toLowerCase()];
  return [];
}

/** CMD and ENTRYPOINT for a shell that the Dockerfile did not choose itself. */
export function checkShellForm(instruction: StageInstruction, report: Report): void {
  if ((instruction.kind !== 'CMD' && instruction.kind !== 'ENTRYPOINT') || instruction.command.form === 'exec') return;
  const { kind, command, comments } = instruction;
  const reason = looksLikeExecForm(command.line)
    ? `${kind} is run by a shell: this array is no JSON, whose strings stand in double quotes`
    : `${kind} is run by a shell, which does not pass signals on: write a JSON array`;
  report('JSONArgsRecommended', command.range, reason, comments);
}
