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
  return checkConfig(parse('config.json', text));
}

/** Reads and checks the text of a process to execute, as `exec --process` gets it. Throws `ConfigError` with every problem. */
export function loadProcess(text: string): LoadedProcess {
  return checkProcess(parse('process', text));
}

/** Reads and checks new limits, as `update --resources` gets them. Throws `ConfigError` with every problem. */
export function loadResources(text: string): LoadedResources {
  return checkResources(parse('resources', text));
}

/** As `loadConfig`, for a value; null and empty optional properties are removed from it. */
export function checkConfig(value: unknown): LoadedConfig {
  const { value: config, warnings } = checkShape('config.json', Config, value);
  const { process, linux } = config;
  throwIfAny('config.json', [
    ...applyRules(CONFIG_ERRORS, config),
    ...(process === undefined ? [] : applyRules(PROCESS_ERRORS, process, 'process')),
    ...(linux?.resources === undefined ? [] : applyRules(resourceErrors, linux.resources, 'linux.resources')),
  ]);
  const more = applyRules(CONFIG_WARNINGS, config);
  const ofProcess = process === undefined ? [] : applyRules(PROCESS_WARNINGS, process, 'process');
  return { config: normalizeConfig(config), warnings: [...warnings, ...more, ...ofProcess] };
}

/** As `loadProcess`, for a value. */
export function checkProcess(value: unknown): LoadedProcess {
  const { value: process, warnings } = checkShape('process', Process, value);
  throwIfAny('process', applyRules(PROCESS_ERRORS, process));
  return { process: normalizeProcess(process), warnings: [...warnings, ...applyRules(PROCESS_WARNINGS, process)] };
}

/** As `loadResources`, for a value. */
export function checkResources(value: unknown): LoadedResources {
  const { value: resources, warnings } = checkShape('resources', LinuxResources, value);
  throwIfAny('resources', applyRules(resourceErrors, resources));
  return { resources: resources as ValidResources, warnings };
}

function parse(document: string, text: string): JsonValue {
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const message = `${error.reason} at line ${error.line}, column ${error.column}`;
    throw new ConfigError(document, [{ rule: 'json', path: error.path, value: undefined, message, reference: undefined }]);
  }
  // In JSON a NUL can only be written as an escape, so that nearly no document has to be searched for it.
  if (text.includes('\\u0000')) throwIfAny(document, applyRules(nulErrors, value));
  return value;
}

function checkShape<T>(document: string, schema: Schema<T>, value: unknown): { value: T; warnings: readonly Problem[] } {
  const validation = validate(schema, value);
  if (!validation.valid) throw new ConfigError(document, validation.errors);
  return validation;
}

function throwIfAny(document: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigError(document, problems);
}
