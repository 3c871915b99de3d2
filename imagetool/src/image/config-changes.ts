/** Changes to a configuration in a Dockerfile's words, as `docker commit --change` takes them. */

import type { ContainerConfig } from '../../../specs/image/config.ts';
import { ImageError } from '../base/errors.ts';

type Change = (config: ContainerConfig, text: string) => ContainerConfig;

/** Applies instructions in their order. Throws ImageError `change` for one that is not known or not right. */
export function changedConfig(config: ContainerConfig, instructions: readonly string[]): ContainerConfig {
  return instructions.reduce((before, instruction) => {
    const [, name = '', text = ''] = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(instruction) ?? [];
    const change = CHANGES.get(name.toUpperCase());
    if (change === undefined) throw wrong(instruction, `only ${[...CHANGES.keys()].join(', ')} can be changed`);
    if (text === '') throw wrong(instruction, 'it says nothing');
    return change(before, text);
  }, config);
}

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['CMD', (config, text) => ({ ...config, Cmd: commandOf(text) })],
  // As in a Dockerfile, a new entry point has no use for the old command; docker commit leaves it as well where CMD is said after.
  ['ENTRYPOINT', ({ Cmd: _, ...config }, text) => ({ ...config, Entrypoint: commandOf(text) })],
  ['ENV', (config, text) => ({ ...config, Env: pairsOf(text).reduce(withVariable, config.Env ?? []) })],
  ['EXPOSE', (config, text) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, ...keys(wordsOf(text).map(portOf)) } })],
  ['LABEL', (config, text) => ({ ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairsOf(text)) } })],
  ['STOPSIGNAL', (config, text) => ({ ...config, StopSignal: text })],
  ['USER', (config, text) => ({ ...config, User: text })],
  ['VOLUME', (config, text) => ({ ...config, Volumes: { ...config.Volumes, ...keys(listOf(text) ?? wordsOf(text)) } })],
  ['WORKDIR', (config, text) => ({ ...config, WorkingDir: directoryOf(config.WorkingDir ?? '/', text) })],
]);

/** A JSON list, or a line for the shell. */
function commandOf(text: string): string[] {
  return listOf(text) ?? ['/bin/sh', '-c', text];
}

function listOf(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) return value;
  } catch {
    // Then it is a line for the shell, which knows `[` too: as docker takes it.
  }
  return undefined;
}

/** `A=b C="d e"`, or `A the rest`. */
function pairsOf(text: string): [string, string][] {
  const first = /^([^\s=]+)\s+(.*)$/s.exec(text);
  if (first !== null) return [[first[1] ?? '', first[2] ?? '']];
  return wordsOf(text).map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw wrong(text, `${JSON.stringify(word)} is not NAME=VALUE`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** Words between blanks; quotes hold them together, a backslash takes the next character as it is. */
function wordsOf(text: string): string[] {
  const words = text.match(/(?:\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"|'[^']*'|[^\s"'\\])+/g) ?? [];
  return words.map((word) =>
    word.replace(
      /\\([\s\S])|"((?:\\[\s\S]|[^"\\])*)"|'([^']*)'/g,
      (_, escaped?: string, double?: string, single?: string) =>
        escaped ?? (double === undefined ? (single ?? '') : double.replace(/\\(["\\$])/g, '$1')),
    ),
  );
}

function withVariable(env: readonly string[], [name, value]: readonly [string, string]): string[] {
  const at = env.findIndex((one) => one.startsWith(`${name}=`));
  return at < 0 ? [...env, `${name}=${value}`] : env.with(at, `${name}=${value}`);
}

function portOf(word: string): string {
  if (!/^\d{1,5}(?:-\d{1,5})?(?:\/(?:tcp|udp|sctp))?$/i.test(word)) throw wrong(`EXPOSE ${word}`, 'it is no port');
  return word.includes('/') ? word.toLowerCase() : `${word}/tcp`;
}

function directoryOf(before: string, text: string): string {
  const whole = text.startsWith('/') ? text : `${before}/${text}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function wrong(instruction: string, reason: string): ImageError {
  return new ImageError('change', `--change ${JSON.stringify(instruction)}: ${reason}`);
}
