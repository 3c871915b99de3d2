/** What tsimg does as docker does it: its commands, with docker's flags. */

import { ContainerError } from '../../container/errors.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command } from '../context.ts';
import { runTsimg, sameFlags } from '../images/tsimg.ts';

export const tag = withoutDashes('tag', [], []);
export const history = withoutDashes('history', ['no-trunc'], []);
export const search = withoutDashes('search', ['no-trunc'], ['limit', 'filter']);
export const save = withoutDashes('save', [], ['output']);
export const load = withoutDashes('load', [], ['input']);
export const login = withoutDashes('login', ['password-stdin'], ['username', 'password']);
export const logout = withoutDashes('logout', [], []);

/** tsimg has the words before the dashes only. */
function withoutDashes(name: string, flags: readonly string[], values: readonly string[]): Command {
  return (context, args) => runTsimg(context, name, [...sameFlags(args, flags, values), ...args.positionals]);
}

export const importImage: Command = (context, args) => {
  const [source = '', name] = args.positionals;
  return runTsimg(context, 'import', [
    ...sameFlags(args, [], ['change', 'message', 'platform']),
    source,
    ...(name === undefined ? [] : [name]),
  ]);
};

const BUILD_FLAGS = ['pull', 'no-cache', 'quiet', 'check'];
const BUILD_VALUES = [
  'file',
  'tag',
  'target',
  'build-arg',
  'build-context',
  'label',
  'platform',
  'secret',
  'ssh',
  'network',
  'add-host',
  'output',
  'cache-from',
  'cache-to',
  'iidfile',
];

export const build: Command = async (context, args) => {
  refuse(args, ['squash', 'memory', 'shm-size', 'ulimit']);
  return await runTsimg(context, 'build', [...sameFlags(args, BUILD_FLAGS, BUILD_VALUES), ...args.positionals]);
};

function refuse(args: Arguments, names: readonly string[]): void {
  const given = names.find((name) => args.has(name));
  if (given !== undefined) throw new ContainerError('unsupported', `build --${given} is not supported`);
}
