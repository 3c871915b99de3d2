/** The options of `build`, and how their values are read. */

import { readFileSync } from 'node:fs';
import type { NamedContext } from '../build/build.ts';
import type { Provided } from '../build/run/mounts.ts';
import type { ProvidedAgent } from '../build/ssh/provided-agent.ts';
import { type OptionSpec, type ParsedArgs, usage } from './args.ts';
import { isLayoutReference } from './base-image.ts';

export const BUILD_OPTIONS: readonly OptionSpec[] = [
  { name: 'file', short: 'f', value: 'FILE', help: 'the Dockerfile (default PATH/Dockerfile); - for the standard input' },
  { name: 'tag', short: 't', value: 'NAME[:TAG]', help: 'a name for the image; may be repeated' },
  { name: 'target', value: 'STAGE', help: 'build this stage, and what it needs' },
  { name: 'build-arg', value: 'NAME[=VALUE]', help: 'a value for an ARG; without a value, that of the environment; may be repeated' },
  {
    name: 'build-context',
    value: 'NAME=PATH|URL',
    help: 'a context with a name, docker-image://IMAGE or oci-layout://DIR[:TAG|@DIGEST]; may be repeated',
  },
  { name: 'label', value: 'NAME=VALUE', help: 'a label for the image; may be repeated' },
  {
    name: 'platform',
    value: 'OS/ARCH[/VARIANT]',
    help: 'the platform to build for (default: this machine’s); of several, with commas between, an index is made',
  },
  { name: 'pull', help: 'ask the registry for newer base images' },
  { name: 'no-cache', help: 'make every step anew' },
  { name: 'no-cache-filter', value: 'STAGE', help: 'make the steps of this stage anew; may be repeated' },
  { name: 'secret', value: 'id=ID[,src=FILE|,env=NAME]', help: 'a secret for RUN --mount=type=secret; may be repeated' },
  {
    name: 'ssh',
    value: 'ID[=SOCKET|KEY[,KEY…]]',
    help: 'an SSH agent for RUN --mount=type=ssh (default: $SSH_AUTH_SOCK), or files of keys for one; may be repeated',
  },
  { name: 'network', value: 'default|none|host', help: 'the network of RUN steps that do not say' },
  { name: 'add-host', value: 'NAME:ADDRESS', help: 'a line for /etc/hosts of RUN steps; may be repeated' },
  { name: 'output', short: 'o', value: 'type=TYPE[,dest=PATH]', help: 'image, oci, docker, tar or local; a directory alone is local' },
  { name: 'cache-from', value: 'type=local,src=DIR|IMAGE', help: 'results of steps to begin with; may be repeated' },
  {
    name: 'cache-to',
    value: 'type=local,dest=DIR|registry,ref=IMAGE|inline',
    help: 'where to leave the results of steps; may be repeated',
  },
  { name: 'iidfile', value: 'FILE', help: 'write the digest of the image to a file' },
  { name: 'metadata-file', value: 'FILE', help: 'write facts about the image to a file, as JSON' },
  { name: 'quiet', short: 'q', help: 'print only the digest of the image' },
  { name: 'explain', help: 'say of each step why it was taken from the cache, or not' },
  { name: 'check', help: 'look for mistakes in the Dockerfile, and build nothing' },
  { name: 'shell-on-error', help: 'open a shell in the state of a RUN that fails' },
  { name: 'twice', help: 'build again without cache, and show what is not the same' },
];

/** `NAME=VALUE` pairs; a name alone takes the environment's value, or is left out. */
export function pairsOf(values: readonly string[], env: Readonly<Record<string, string | undefined>>): Map<string, string> {
  return new Map(
    values.flatMap((one): [string, string][] => {
      const equals = one.indexOf('=');
      if (equals > 0) return [[one.slice(0, equals), one.slice(equals + 1)]];
      const value = env[one];
      return value === undefined ? [] : [[one, value]];
    }),
  );
}

/** `key=value,key=value`, values in quotes as in CSV. */
export function fieldsOf(text: string, option: string): Map<string, string> {
  const fields = text.match(/(?:[^,"]|"(?:[^"]|"")*")+/g) ?? [];
  return new Map(
    fields.map((field): [string, string] => {
      const plain = field.replace(/^"([\s\S]*)"$/, '$1').replaceAll('""', '"');
      const equals = plain.indexOf('=');
      if (equals < 1) throw usage(`--${option} ${text}: ${JSON.stringify(plain)} is not KEY=VALUE`);
      return [plain.slice(0, equals), plain.slice(equals + 1)];
    }),
  );
}

export function namedContexts(args: ParsedArgs): Map<string, NamedContext> {
  return new Map(
    args.values('build-context').map((text): [string, NamedContext] => {
      const equals = text.indexOf('=');
      if (equals < 1) throw usage(`--build-context ${text} is not NAME=PATH`);
      const [name, source] = [text.slice(0, equals).toLowerCase(), text.slice(equals + 1)];
      const image = /^docker-image:\/\/(.+)$/.exec(source)?.[1];
      if (image !== undefined) return [name, { kind: 'image', source: image }];
      return [name, { kind: isLayoutReference(source) ? 'image' : 'files', source }];
    }),
  );
}

export function networkOf(args: ParsedArgs): 'default' | 'none' | 'host' {
  const text = args.value('network') ?? 'default';
  if (text !== 'default' && text !== 'none' && text !== 'host') throw usage(`--network cannot be ${text}: default, none or host`);
  return text;
}

/** Files of secrets are read when they are first asked for. Throws ImageError `usage`, `ssh`. */
export async function providedBy(args: ParsedArgs, env: Readonly<Record<string, string | undefined>>): Promise<Provided> {
  const secrets = new Map(args.values('secret').map((text) => secretOf(text, env)));
  const agents = args.values('ssh').length === 0 ? undefined : await agentsGiven(args.values('ssh'), env);
  return { secret: (id) => secrets.get(id)?.(), sshAgent: (id) => agents?.get(id) };
}

function secretOf(text: string, env: Readonly<Record<string, string | undefined>>): [string, () => Buffer] {
  const fields = fieldsOf(text, 'secret');
  const id = fields.get('id');
  if (id === undefined) throw usage(`--secret ${text} needs id=`);
  const file = fields.get('src') ?? fields.get('source');
  const variable = fields.get('env') ?? (file === undefined && env[id] !== undefined ? id : undefined);
  if (variable !== undefined) {
    const value = env[variable];
    if (value === undefined) throw usage(`--secret ${text}: the environment has no ${variable}`);
    return [id, () => Buffer.from(value)];
  }
  return [id, () => readFileSync(file ?? id)];
}

/** Keys are read at once: what is wrong with them is known before anything is built. */
async function agentsGiven(
  values: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlyMap<string, ProvidedAgent>> {
  const { agentOf } = await import('../build/ssh/provided-agent.ts');
  return new Map(
    values.map((text): [string, ProvidedAgent] => {
      const equals = text.indexOf('=');
      const [id, given] = equals < 0 ? [text, env['SSH_AUTH_SOCK'] ?? ''] : [text.slice(0, equals), text.slice(equals + 1)];
      if (given === '') throw usage(`--ssh ${text}: there is no agent (SSH_AUTH_SOCK)`);
      return [id, agentOf(equals < 0 ? [given] : given.split(','))];
    }),
  );
}
