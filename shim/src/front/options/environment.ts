/** `-e`, `--env-file`, `--label`, `--label-file`: pairs from words and from files. */

import { readFileSync } from 'node:fs';
import { ContainerError, invalid } from '../../container/errors.ts';
import { messageOf } from '../../container/files.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A name without a value takes the caller's, or is taken out. Later ones win. */
export function environmentOf(base: readonly string[], words: readonly string[], files: readonly string[], caller: Environment): string[] {
  const result = new Map(base.map((pair) => [nameOf(pair), pair]));
  for (const word of [...files.flatMap((file) => readPairs(file, 'env file')), ...words]) {
    const name = nameOf(word);
    if (name === '') throw invalid(`invalid argument "${word}" for "-e, --env" flag: invalid environment variable: ${word}`);
    if (word.includes('=')) result.set(name, word);
    else if (caller[name] === undefined) result.delete(name);
    else result.set(name, `${name}=${caller[name]}`);
  }
  return [...result.values()];
}

export function labelsOf(words: readonly string[], files: readonly string[]): Record<string, string> {
  const pairs = [...files.flatMap((file) => readPairs(file, 'label file')), ...words];
  return Object.fromEntries(pairs.map((pair) => [nameOf(pair), pair.includes('=') ? pair.slice(pair.indexOf('=') + 1) : '']));
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals < 0 ? pair : pair.slice(0, equals);
}

/** A pair a line; empty lines and those that begin with `#` say nothing. Values are taken as they are, quotes included. */
function readPairs(path: string, kind: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ContainerError('invalid', `open ${path}: ${messageOf(error)}`, { exitCode: 125, cause: error });
  }
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, '').replace(/^\s+/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const name = nameOf(line);
      if (/\s/.test(name))
        throw invalid(`poorly formatted environment: variable '${name}' contains whitespaces`, `In the ${kind} ${path}.`);
      if (name === '') throw invalid(`poorly formatted environment: no variable name on line '${line}'`, `In the ${kind} ${path}.`);
      return line;
    });
}
