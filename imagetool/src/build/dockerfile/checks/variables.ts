/** Variables: whether they are there where they are used, and what they hold. Goes through every stage as a build does. */

import { findNearestName } from '../../../../../specs/schema/nearest-name.ts';
import { parseReference } from '../../../reference/reference.ts';
import type { Dockerfile, Stage, StageInstruction } from '../ast.ts';
import { DockerfileError } from '../error.ts';
import { type Expansion, expandFrom, expandInstruction, globalScope } from '../expand.ts';
import type { ExpandedInstruction } from '../expanded.ts';
import { parsePorts } from '../ports.ts';
import { StageScope, type Variables } from '../scope.ts';
import { substituteWords } from '../substitute.ts';
import type { CheckOptions } from './check.ts';
import type { Report } from './finding.ts';

/** The first or last word, or all, of a name: `API_KEY`, `token`, `AUTH_URL`. */
const SECRET = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:^|_)(?:public|file|version)(?:_|$)/i;

/** What is known at the end of a stage, for the stages that are made from it. */
interface StageEnd {
  readonly scope: StageScope;
  readonly isKnown: boolean;
  readonly hasWorkdir: boolean;
}

export function checkVariables(file: Dockerfile, options: CheckOptions, report: Report): void {
  const globals = globalScope(file, options.predefined, options.buildArguments);
  const defaults = globalScope(file, options.predefined, new Map());
  for (const { arguments: given, comments } of file.globals) for (const { name } of given) checkSecret('ARG', name, comments, report);
  const ends = new Map<string, StageEnd>();
  for (const stage of file.stages) {
    checkBase(file, stage, { globals, defaults }, report);
    const base = expandFrom(stage.from, globals, file).result.image;
    const before = ends.get(base.toLowerCase());
    const environment = base === 'scratch' ? [] : options.environments?.get(stage.index);
    const begin: StageEnd = before ?? {
      scope: StageScope.begin({ environment: ['PATH=', ...(environment ?? [])], globals, buildArguments: options.buildArguments }),
      isKnown: environment !== undefined,
      hasWorkdir: false,
    };
    const end = checkStage(file, stage, begin, report);
    if (stage.name !== undefined) ends.set(stage.name, end);
  }
}

function checkBase(
  file: Dockerfile,
  { from }: Stage,
  { globals, defaults }: { globals: Variables; defaults: Variables },
  report: Report,
): void {
  const declared = new Set(file.globals.flatMap((one) => one.arguments.map(({ name }) => name.text)));
  for (const name of expandFrom(from, globals, file).missing) {
    if (declared.has(name)) continue;
    const nearest = findNearestName(name, globals.names());
    report(
      'UndefinedArgInFrom',
      from.range,
      `${name} is not declared before FROM${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
      from.comments,
    );
  }
  if (!isImage(() => expandFrom(from, defaults, file).result.image)) {
    report('InvalidDefaultArgInFrom', from.image.range, `Without --build-arg ${from.image.text} is no name of an image`, from.comments);
  }
}

function isImage(read: () => string): boolean {
  try {
    parseReference(read());
    return true;
  } catch {
    return false;
  }
}

function checkStage(file: Dockerfile, stage: Stage, begin: StageEnd, report: Report): StageEnd {
  let { scope, hasWorkdir } = begin;
  for (const instruction of stage.instructions) {
    const expansion = expansionOf(file, instruction, { scope, isKnown: begin.isKnown });
    if (expansion === undefined) continue;
    checkUndefined(instruction, expansion, { scope, isKnown: begin.isKnown }, report);
    checkValues(instruction, expansion.result, report);
    if (instruction.kind === 'EXPOSE') checkPorts(file, instruction, scope, report);
    const { result } = expansion;
    if (result.kind === 'WORKDIR') {
      if (!hasWorkdir && !result.path.startsWith('/')) {
        report(
          'WorkdirRelativePath',
          instruction.range,
          `${JSON.stringify(result.path)} is under the working directory of the base image, which may change`,
          instruction.comments,
        );
      }
      hasWorkdir = true;
    } else if (result.kind === 'ARG' || result.kind === 'ENV') scope = scope.after(result);
  }
  return { scope, isKnown: begin.isKnown, hasWorkdir };
}

/** Undefined: it cannot be expanded, but might with variables of an image that is not known here. */
export function expansionOf(
  file: Dockerfile,
  instruction: StageInstruction,
  { scope, isKnown }: { readonly scope: StageScope; readonly isKnown: boolean },
): Expansion<ExpandedInstruction> | undefined {
  try {
    return expandInstruction(instruction, scope, file);
  } catch (error) {
    if (error instanceof DockerfileError && !isKnown) return undefined;
    throw error;
  }
}

function checkUndefined(
  { range, comments }: StageInstruction,
  { missing }: Expansion<ExpandedInstruction>,
  { scope, isKnown }: { readonly scope: StageScope; readonly isKnown: boolean },
  report: Report,
): void {
  for (const name of missing) {
    if (scope.declared.some((one) => one.name === name)) continue;
    // PATH is nobody's slip: whatever ends so may well come from the image.
    const nearest = findNearestName(name, isKnown ? scope.names() : scope.names().filter((one) => one !== 'PATH'));
    // The image that the stage begins with may define it; then only what looks like a slip is worth a word.
    if (!isKnown && nearest === undefined && scope.globals.get(name) === undefined) continue;
    const hint = scope.globals.get(name) === undefined ? '' : `; ARG ${name} in this stage takes the one before FROM`;
    report(
      'UndefinedVar',
      range,
      `$${name} is not defined here${hint || (nearest === undefined ? '' : `; did you mean $${nearest}?`)}`,
      comments,
    );
  }
}

function checkValues(instruction: StageInstruction, result: ExpandedInstruction, report: Report): void {
  if (instruction.kind === 'ARG') for (const { name } of instruction.arguments) checkSecret('ARG', name, instruction.comments, report);
  if (instruction.kind !== 'ENV' || result.kind !== 'ENV') return;
  for (const [index, { name }] of result.pairs.entries()) {
    const range = instruction.pairs[index]?.name.range ?? instruction.range;
    checkSecret('ENV', { text: name, range }, instruction.comments, report);
  }
}

function checkSecret(kind: 'ARG' | 'ENV', name: StageInstruction['keyword'], comments: readonly string[], report: Report): void {
  if (!SECRET.test(name.text) || NO_SECRET.test(name.text)) return;
  report('SecretsUsedInArgOrEnv', name.range, `${kind} ${name.text} stays in the image: use RUN --mount=type=secret`, comments);
}

function checkPorts(
  file: Dockerfile,
  instruction: StageInstruction & { readonly kind: 'EXPOSE' },
  scope: StageScope,
  report: Report,
): void {
  for (const { text, range } of instruction.ports) {
    for (const word of substituteWords(text, scope, { escape: file.escape })) {
      const parsed = parsePorts(word);
      if (typeof parsed === 'string') continue;
      const { protocol, mapsHost } = parsed;
      if (protocol !== undefined && protocol !== protocol.toLowerCase()) {
        report('ExposeProtoCasing', range, `The protocol of ${word} should be in lower case`, instruction.comments);
      }
      if (mapsHost)
        report('ExposeInvalidFormat', range, `${word}: addresses and ports of the host belong to docker run -p`, instruction.comments);
    }
  }
}
