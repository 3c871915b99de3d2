import { JsonError } from '../../../specs/json/json-error.ts';
import type { JsonValue } from '../../../specs/json/json-value.ts';
import { parseJson } from '../../../specs/json/parse-json.ts';
import { Config } from '../../../specs/runtime/config.ts';
import { LinuxResources } from '../../../specs/runtime/linux/resources.ts';
import { Process } from '../../../specs/runtime/process.ts';
import type { Schema } from '../../../specs/schema/schema.ts';
import { validate } from '../../../specs/schema/validate.ts';
import { normalizeConfig, normalizeProcess } from './normalize.ts';
import { ConfigError, type Problem } from './problems.ts';
import { CONFIG_ERRORS, CONFIG_WARNINGS, PROCESS_ERRORS, PROCESS_WARNINGS } from './rules/all-rules.ts';
import { nulErrors } from './rules/nul.ts';
import { resourceErrors } from './rules/resources.ts';
import { applyRules } from './rules/rule.ts';
import type { ValidConfig, ValidProcess, ValidResources } from './valid.ts';
import { fenceOff, unlessWrong } from './wrong-parts.ts';

export interface LoadedConfig {
  readonly config: ValidConfig;
  readonly warnings: readonly Problem[];
}

export interface LoadedProcess {
  readonly process: ValidProcess;
  readonly warnings: readonly Problem[];
}

export interface LoadedResources {
  readonly resources: ValidResources;
  readonly warnings: readonly Problem[];
}

/** Reads and checks the text of a bundle's `config.json`. Throws `ConfigError` with every problem. */
export function loadConfig(text: string): LoadedConfig {
  return checkConfig(...parse('config.json', text));
}

/** Reads and checks the text of a process to execute, as `exec --process` gets it. Throws `ConfigError` with every problem. */
export function loadProcess(text: string): LoadedProcess {
  return checkProcess(...parse('process', text));
}

/** Reads and checks new limits, as `update --resources` gets them. Throws `ConfigError` with every problem. */
export function loadResources(text: string): LoadedResources {
  return checkResources(...parse('resources', text));
}

/** As `loadConfig`, for a value; null and empty optional properties are removed from it. `found` are problems that are known already. */
export function checkConfig(value: unknown, found: readonly Problem[] = []): LoadedConfig {
  const { value: config, warnings } = check({ document: 'config.json', schema: Config, rules: configErrors }, value, found);
  const { process } = config;
  const more = applyRules(CONFIG_WARNINGS, config);
  const ofProcess = process === undefined ? [] : applyRules(PROCESS_WARNINGS, process, 'process');
  return { config: normalizeConfig(config), warnings: [...warnings, ...more, ...ofProcess] };
}

/** As `loadProcess`, for a value. */
export function checkProcess(value: unknown, found: readonly Problem[] = []): LoadedProcess {
  const rules = (process: Process): Problem[] => applyRules(PROCESS_ERRORS, process);
  const { value: process, warnings } = check({ document: 'process', schema: Process, rules }, value, found);
  return { process: normalizeProcess(process), warnings: [...warnings, ...applyRules(PROCESS_WARNINGS, process)] };
}

/** As `loadResources`, for a value. */
export function checkResources(value: unknown, found: readonly Problem[] = []): LoadedResources {
  const rules = (resources: LinuxResources): Problem[] => applyRules(resourceErrors, resources);
  const { value: resources, warnings } = check({ document: 'resources', schema: LinuxResources, rules }, value, found);
  return { resources: resources as ValidResources, warnings };
}

function configErrors(config: Config): Problem[] {
  const process = unlessWrong(() => config.process);
  const resources = unlessWrong(() => config.linux?.resources);
  return [
    ...applyRules(CONFIG_ERRORS, config),
    ...(process === undefined ? [] : applyRules(PROCESS_ERRORS, process, 'process')),
    ...(resources === undefined ? [] : applyRules(resourceErrors, resources, 'linux.resources')),
  ];
}

/** The value, and problems that show in the text only. */
function parse(document: string, text: string): [JsonValue, Problem[]] {
  try {
    const value = parseJson(text);
    // In JSON a NUL can only be written as an escape, so that nearly no document has to be searched for it.
    return [value, text.includes('\\u0000') ? applyRules(nulErrors, value) : []];
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const message = `${error.reason} at line ${error.line}, column ${error.column}`;
    throw new ConfigError(document, [{ rule: 'json', path: error.path, value: undefined, message, reference: undefined }]);
  }
}

interface Checks<T> {
  readonly document: string;
  readonly schema: Schema<T>;
  rules(value: T): readonly Problem[];
}

/** Types and rules at once: where types are wrong, the rules are applied to all that is right. */
function check<T>({ document, schema, rules }: Checks<T>, value: unknown, found: readonly Problem[]) {
  const validation = validate(schema, value);
  if (validation.valid) {
    throwIfAny(document, [...found, ...rules(validation.value)]);
    return validation;
  }
  const { errors, wrong } = validation;
  if (wrong === undefined) throw new ConfigError(document, [...found, ...errors]);
  fenceOff(wrong);
  throw new ConfigError(document, [...found, ...errors, ...rules(value as T)]);
}

function throwIfAny(document: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigError(document, problems);
}
