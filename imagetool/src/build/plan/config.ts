/** What instructions do to the configuration of the image. Pure. */

import type { ContainerConfig } from '../../../../specs/image/config.ts';
import type { Command } from '../dockerfile/ast.ts';
import type { Assignment, ExpandedHealthcheck, ExpandedInstruction } from '../dockerfile/expanded.ts';
import { absolutePath } from './paths.ts';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/** What a stage FROM scratch begins with. */
export const SCRATCH_CONFIG: ContainerConfig = { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' };

export function shellOf(config: ContainerConfig): readonly string[] {
  return config.Shell === undefined || config.Shell.length === 0 ? DEFAULT_SHELL : config.Shell;
}

/** Always absolute. */
export function workdirOf(config: ContainerConfig): string {
  return absolutePath('/', config.WorkingDir ?? '');
}

export interface ConfigState {
  readonly config: ContainerConfig;
  /** CMD was said in this stage: then ENTRYPOINT does not take it away. */
  readonly hasOwnCommand: boolean;
  readonly author?: string;
}

/** The state after an instruction; the same for those that say nothing of the configuration. */
export function applyToConfig(state: ConfigState, instruction: ExpandedInstruction): ConfigState {
  const { config } = state;
  const changed = (change: Partial<ContainerConfig>): ConfigState => ({ ...state, config: { ...config, ...change } });
  switch (instruction.kind) {
    case 'ENV':
      return changed({ Env: instruction.pairs.reduce(withVariable, config.Env ?? []) });
    case 'LABEL':
      return changed({ Labels: { ...config.Labels, ...Object.fromEntries(instruction.pairs.map(({ name, value }) => [name, value])) } });
    case 'WORKDIR':
      return changed({ WorkingDir: absolutePath(workdirOf(config), instruction.path) });
    case 'USER':
      return changed({ User: instruction.user });
    case 'EXPOSE':
      return changed({ ExposedPorts: { ...config.ExposedPorts, ...keys(instruction.ports) } });
    case 'VOLUME':
      return changed({ Volumes: { ...config.Volumes, ...keys(instruction.paths) } });
    case 'SHELL':
      return changed({ Shell: [...instruction.argv] });
    case 'STOPSIGNAL':
      return changed({ StopSignal: instruction.signal });
    case 'HEALTHCHECK':
      return changed({ Healthcheck: healthcheckOf(instruction) });
    case 'ONBUILD':
      return changed({ OnBuild: [...(config.OnBuild ?? []), instruction.expression] });
    case 'MAINTAINER':
      return { ...state, author: instruction.name };
    case 'CMD':
      return { ...changed({ Cmd: commandWords(config, instruction.command) }), hasOwnCommand: true };
    case 'ENTRYPOINT':
      return withEntrypoint(state, commandWords(config, instruction.command));
    default:
      return state;
  }
}

/** The base's command belonged to the base's entry point. */
function withEntrypoint(state: ConfigState, words: string[]): ConfigState {
  const { Cmd, ...rest } = state.config;
  const keepsCommand = state.hasOwnCommand && Cmd !== undefined;
  return { ...state, config: { ...rest, Entrypoint: words, ...(keepsCommand ? { Cmd } : {}) } };
}

export function commandWords(config: ContainerConfig, command: Command): string[] {
  return command.form === 'exec' ? [...command.argv] : [...shellOf(config), command.line];
}

export function healthcheckOf({ written, test }: ExpandedHealthcheck): NonNullable<ContainerConfig['Healthcheck']> {
  return {
    Test: [...test],
    ...(written.interval === undefined ? {} : { Interval: written.interval }),
    ...(written.timeout === undefined ? {} : { Timeout: written.timeout }),
    ...(written.startPeriod === undefined ? {} : { StartPeriod: written.startPeriod }),
    ...(written.startInterval === undefined ? {} : { StartInterval: written.startInterval }),
    ...(written.retries === undefined ? {} : { Retries: written.retries }),
  };
}

function withVariable(env: readonly string[], { name, value }: Assignment): string[] {
  const at = env.findIndex((one) => one.startsWith(`${name}=`));
  return at < 0 ? [...env, `${name}=${value}`] : env.with(at, `${name}=${value}`);
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
