/** How the history of an image names instructions: in the words of docker's builder, which tools that read histories know. */

import type { ContainerConfig } from '../../../../specs/image/config.ts';
import type { ExpandedAdd, ExpandedCopy, ExpandedInstruction } from '../dockerfile/expanded.ts';
import type { StageScope } from '../dockerfile/scope.ts';
import { commandWords, healthcheckOf, workdirOf } from './config.ts';
import { absolutePath } from './paths.ts';

export const HISTORY_COMMENT = 'buildkit.dockerfile.v0';

/** `config` and `scope` are those before the instruction. */
export function createdBy(instruction: ExpandedInstruction, config: ContainerConfig, scope: StageScope, argv: readonly string[]): string {
  switch (instruction.kind) {
    case 'RUN':
      return `RUN ${[...argumentWords(scope), ...argv].join(' ')} # buildkit`;
    case 'COPY':
    case 'ADD':
      return `${transferText(instruction)} # buildkit`;
    case 'WORKDIR':
      return `WORKDIR ${absolutePath(workdirOf(config), instruction.path)}`;
    case 'ENV':
    case 'LABEL':
      return `${instruction.kind} ${instruction.pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`;
    case 'ARG':
      return `ARG ${instruction.arguments.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(' ')}`;
    case 'CMD':
    case 'ENTRYPOINT':
      return `${instruction.kind} [${commandWords(config, instruction.command).map(quote).join(' ')}]`;
    case 'USER':
      return `USER ${instruction.user}`;
    case 'EXPOSE':
      return `EXPOSE map[${[...instruction.ports]
        .sort()
        .map((port) => `${port}:{}`)
        .join(' ')}]`;
    case 'VOLUME':
      return `VOLUME [${instruction.paths.join(' ')}]`;
    case 'SHELL':
      return `SHELL [${instruction.argv.join(' ')}]`;
    case 'STOPSIGNAL':
      return `STOPSIGNAL ${instruction.signal}`;
    case 'HEALTHCHECK':
      return healthcheckText(healthcheckOf(instruction));
    case 'ONBUILD':
      return `ONBUILD ${instruction.expression}`;
    case 'MAINTAINER':
      return `MAINTAINER ${instruction.name}`;
  }
}

/** The arguments that a command saw: `|2 A=1 B=2`. */
function argumentWords(scope: StageScope): string[] {
  const words = scope.declared.map(({ name, value }) => `${name}=${scope.get(name) ?? value ?? ''}`);
  return words.length === 0 ? [] : [`|${words.length}`, ...words];
}

function transferText(step: ExpandedCopy | ExpandedAdd): string {
  const sources = [...step.sources, ...step.files.map((file) => `<<${file.name}`)];
  return [
    step.kind,
    ...(step.chown === undefined ? [] : [`--chown=${step.chown}`]),
    ...(step.chmod === undefined ? [] : [`--chmod=${step.chmod.text}`]),
    ...(step.link ? ['--link'] : []),
    ...sources,
    step.destination,
  ].join(' ');
}

/** As Go writes the structure with `%q`. */
function healthcheckText(check: NonNullable<ContainerConfig['Healthcheck']>): string {
  const times = [check.Interval, check.Timeout, check.StartPeriod, check.StartInterval].map((time) => quote(duration(time ?? 0)));
  const retries = (check.Retries ?? 0).toString(16).padStart(2, '0');
  return `HEALTHCHECK &{[${(check.Test ?? []).map(quote).join(' ')}] ${times.join(' ')} '\\x${retries}'}`;
}

/** As Go writes a time.Duration: `1m30s`. */
function duration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e9) {
    if (nanoseconds < 1e3) return `${nanoseconds}ns`;
    return nanoseconds < 1e6 ? `${nanoseconds / 1e3}µs` : `${nanoseconds / 1e6}ms`;
  }
  const hours = Math.floor(nanoseconds / 3.6e12);
  const minutes = Math.floor((nanoseconds % 3.6e12) / 6e10);
  const seconds = (nanoseconds % 6e10) / 1e9;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
