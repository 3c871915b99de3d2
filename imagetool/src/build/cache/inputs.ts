/** What decides the result of a step, as named values: hashed they are its key, and compared they say why a step is made anew. */

import { createHash } from 'node:crypto';
import type { RunStep } from '../plan/step.ts';

export interface Input {
  /** In words, as --explain shows it: `ENV VERSION`, `file src/app.ts`. */
  readonly name: string;
  readonly value: string;
}

export function keyOf(inputs: readonly Input[]): string {
  const hash = createHash('sha256');
  for (const { name, value } of inputs) hash.update(`${name.length} ${value.length} ${name}${value}`);
  return hash.digest('hex');
}

/** What a RUN step is given from outside the Dockerfile. */
export interface RunSurroundings {
  /** The chain id of the layers below. */
  readonly parent: string;
  /** Digests of what is bound, by target. */
  readonly mountContents: ReadonlyMap<string, string>;
  /** --add-host. */
  readonly hosts: readonly string[];
}

export function runInputs(step: RunStep, { parent, mountContents, hosts }: RunSurroundings): Input[] {
  return [
    { name: 'the layers below', value: parent },
    { name: 'command', value: JSON.stringify(step.argv) },
    ...(step.form.form === 'script' ? [{ name: 'script', value: step.form.content }] : []),
    ...[...step.env].sort().map((one) => ({ name: `variable ${one.slice(0, one.indexOf('='))}`, value: one.slice(one.indexOf('=') + 1) })),
    { name: 'user', value: step.user },
    { name: 'working directory', value: step.workdir },
    { name: 'network', value: step.network },
    ...(hosts.length === 0 ? [] : [{ name: 'added hosts', value: hosts.join(' ') }]),
    ...step.mounts.map(({ mount, target }) => ({ name: `mount ${target ?? mount.type}`, value: mountValue(mount) })),
    ...[...mountContents].map(([target, value]) => ({ name: `content of mount ${target}`, value })),
  ];
}

/** Not the values of secrets, nor what is in caches. */
function mountValue(mount: RunStep['mounts'][number]['mount']): string {
  return JSON.stringify(Object.entries(mount).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface Difference {
  readonly name: string;
  readonly before?: string;
  readonly now?: string;
}

/** The first input that is not the same, in the order of `now`; what is missing now comes last. */
export function firstDifference(before: readonly Input[], now: readonly Input[]): Difference | undefined {
  const old = new Map(before.map(({ name, value }) => [name, value]));
  const names = new Set(now.map(({ name }) => name));
  for (const { name, value } of now) {
    const was = old.get(name);
    if (was !== value) return was === undefined ? { name, now: value } : { name, before: was, now: value };
  }
  const gone = before.find(({ name }) => !names.has(name));
  return gone === undefined ? undefined : { name: gone.name, before: gone.value };
}
