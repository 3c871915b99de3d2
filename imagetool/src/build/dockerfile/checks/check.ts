/** `--check`: looks for mistakes that do not keep a Dockerfile from being built. */

import type { IgnoreFile } from '../../ignore/ignore-file.ts';
import type { Dockerfile } from '../ast.ts';
import { checkOfComment } from '../directives.ts';
import { DockerfileError } from '../error.ts';
import { checkContext } from './context.ts';
import { type Finding, findingOf, type Report } from './finding.ts';
import { checkForm } from './form.ts';
import { type CheckSettings, DEFAULT_SETTINGS, isChecked, mergeSettings, parseCheckSettings } from './settings.ts';
import { checkStages } from './stages.ts';
import { checkVariables } from './variables.ts';

export interface CheckOptions {
  /** Of the context, if it has one. */
  readonly ignoreFile?: IgnoreFile;
  readonly buildArguments: ReadonlyMap<string, string>;
  /** TARGETPLATFORM and its like. */
  readonly predefined: ReadonlyMap<string, string>;
  /** `Env` of the images that stages begin with, by the stage's index: with it every undefined variable is found, without it only what looks like a slip. */
  readonly environments?: ReadonlyMap<number, readonly string[]>;
  /** Beside those of the file. */
  readonly settings?: CheckSettings;
}

export interface CheckResult {
  /** In the order of the file. */
  readonly findings: readonly Finding[];
  /** `error=true`: findings are a failure. */
  readonly isError: boolean;
}

/** Throws DockerfileError for a check directive that is not understood, and for what cannot be built at all. */
export function checkDockerfile(file: Dockerfile, options: CheckOptions): CheckResult {
  const settings = mergeSettings(options.settings ?? DEFAULT_SETTINGS, settingsOf(file));
  const findings: Finding[] = [];
  const report: Report = (rule, range, reason, comments = []) => {
    if (isChecked(settingsAt(settings, comments), rule)) findings.push(findingOf(rule, range, reason));
  };
  checkForm(file, report);
  checkStages(file, report);
  checkVariables(file, options, report);
  if (options.ignoreFile !== undefined) checkContext(file, options.ignoreFile, options, report);
  const sorted = findings.toSorted(({ range: { start: a } }, { range: { start: b } }) => a.line - b.line || a.column - b.column);
  return { findings: sorted, isError: settings.error && findings.length > 0 };
}

function settingsOf(file: Dockerfile): CheckSettings {
  const directive = file.directives.find(({ name }) => name === 'check');
  if (directive === undefined) return DEFAULT_SETTINGS;
  const settings = parseCheckSettings(directive.value);
  if (typeof settings === 'string') throw new DockerfileError(file.source, [{ range: directive.range, reason: `check: ${settings}` }]);
  return settings;
}

/** A comment that is not understood says nothing. */
function settingsAt(settings: CheckSettings, comments: readonly string[]): CheckSettings {
  return comments.reduce((before, comment) => {
    const own = checkOfComment(comment);
    const read = own === undefined ? undefined : parseCheckSettings(own);
    return read === undefined || typeof read === 'string' ? before : mergeSettings(before, read);
  }, settings);
}
