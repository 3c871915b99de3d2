/** Stages: their names, their platforms, and what they may have once. */

import type { Dockerfile, FromInstruction, Stage, StageInstruction } from '../ast.ts';
import type { Report } from './finding.ts';
import { checkShellForm } from './form.ts';

const RESERVED = ['context', 'scratch'];
const ONCE = ['CMD', 'ENTRYPOINT', 'HEALTHCHECK'];

export function checkStages(file: Dockerfile, report: Report): void {
  const names = new Set<string>();
  const withShell = new Set<string>();
  for (const stage of file.stages) {
    const { from, name } = stage;
    checkFrom(from, report);
    if (name !== undefined && from.as !== undefined) {
      const { range } = from.as.name;
      if (RESERVED.includes(name))
        report('ReservedStageName', range, `${name} has a meaning of its own: a stage cannot be referred to by it`, from.comments);
      if (names.has(name)) report('DuplicateStageName', range, `There is a stage ${name} before`, from.comments);
      names.add(name);
    }
    checkOnce(stage, report);
    if (checkShells(stage, withShell.has(from.image.text.toLowerCase()), report) && name !== undefined) withShell.add(name);
  }
}

function checkFrom(from: FromInstruction, report: Report): void {
  const { as, keyword, platform, comments } = from;
  if (as !== undefined) {
    const { text } = as.name;
    if (text !== text.toLowerCase()) report('StageNameCasing', as.name.range, `The name ${text} should be in lower case`, comments);
    const right = keyword.text === keyword.text.toLowerCase() ? as.keyword.text.toLowerCase() : as.keyword.text.toUpperCase();
    const isMixed = keyword.text !== keyword.text.toLowerCase() && keyword.text !== keyword.text.toUpperCase();
    if (!isMixed && as.keyword.text !== right)
      report('FromAsCasing', as.keyword.range, `${as.keyword.text} should be ${right}, as ${keyword.text} is`, comments);
  }
  if (platform === undefined) return;
  if (/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform.text)) {
    report('RedundantTargetPlatform', platform.range, `${platform.text} is the platform that FROM takes anyway`, comments);
  } else if (isConstantPlatform(platform.text) && !isNamedAfter(as?.name.text ?? '', platform.text)) {
    report(
      'FromPlatformFlagConstDisallowed',
      platform.range,
      `${platform.text} is fixed: the stage cannot be built for another platform`,
      comments,
    );
  }
}

function isConstantPlatform(text: string): boolean {
  return /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+){0,2}$/.test(text);
}

/** A stage that is called after its platform is meant to be for that one. */
function isNamedAfter(stage: string, platform: string): boolean {
  return platform
    .split('/')
    .slice(0, 2)
    .some((part) => stage.toLowerCase().includes(part.toLowerCase()));
}

/** The last one counts, so the ones before are the mistake. */
function checkOnce({ instructions }: Stage, report: Report): void {
  const last = new Map<string, StageInstruction>();
  for (const instruction of instructions) {
    if (!ONCE.includes(instruction.kind)) continue;
    const before = last.get(instruction.kind);
    if (before !== undefined) {
      const reason = `This ${before.kind} has no effect: line ${instruction.range.start.line} has another one`;
      report('MultipleInstructionsDisallowed', before.range, reason, instruction.comments);
    }
    last.set(instruction.kind, instruction);
  }
}

/** Says whether the stage ends with a SHELL of its own, or one of the stage it is made from. */
function checkShells({ instructions }: Stage, hasShellBefore: boolean, report: Report): boolean {
  let hasShell = hasShellBefore;
  for (const instruction of instructions) {
    if (instruction.kind === 'SHELL') hasShell = true;
    if (!hasShell) checkShellForm(instruction, report);
  }
  return hasShell;
}
