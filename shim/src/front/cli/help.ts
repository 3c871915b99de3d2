/** Help, made of the grammar, laid out as docker's. */

import { COMMANDS } from '../grammar/commands.ts';
import type { CommandGrammar, Flag } from './flags.ts';

const COMMON = ['run', 'exec', 'ps', 'build', 'pull', 'push', 'images', 'login', 'logout', 'search', 'version', 'info'];
const GROUPS: readonly (readonly [string, string])[] = [
  ['container', 'Manage containers'],
  ['image', 'Manage images'],
  ['network', 'Manage networks'],
  ['system', 'Manage tsctl'],
  ['volume', 'Manage volumes'],
];

export function mainHelp(): string {
  const plain = COMMANDS.filter(({ name }) => !name.includes(' '));
  const common = COMMON.flatMap((name) => plain.filter((command) => command.name === name));
  const others = plain.filter(({ name }) => !COMMON.includes(name)).sort((a, b) => Number(a.name > b.name) - 0.5);
  return [
    'Usage:  tsctl [OPTIONS] COMMAND',
    '',
    'Containers without a daemon, with the words of docker',
    '',
    'Common Commands:',
    ...rows(common.map(({ name, summary }) => [name, summary])),
    '',
    'Management Commands:',
    ...rows(GROUPS),
    '',
    'Commands:',
    ...rows(others.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...rows([
      ['--root string', 'Where containers and images are (default /var/lib/tsrun, or $XDG_DATA_HOME/tsrun)'],
      ['-v, --version', 'Print version information and quit'],
    ]),
    '',
    "Run 'tsctl COMMAND --help' for more information on a command.",
  ].join('\n');
}

/** Undefined for what is no group. */
export function groupHelp(group: string): string | undefined {
  const known = GROUPS.find(([name]) => name === group);
  if (known === undefined) return undefined;
  const prefix = `${group} `;
  const commands = COMMANDS.flatMap((command) => {
    const name = [command.name, ...(command.aliases ?? [])].find((one) => one.startsWith(prefix));
    return name === undefined ? [] : [[name.slice(prefix.length), command.summary] as const];
  });
  return [
    `Usage:  tsctl ${group} COMMAND`,
    '',
    known[1],
    '',
    'Commands:',
    ...rows(commands),
    '',
    `Run 'tsctl ${group} COMMAND --help' for more information on a command.`,
  ].join('\n');
}

export function commandHelp({ name, usage, summary, flags, aliases = [] }: CommandGrammar): string {
  const sorted = [...flags].sort((a, b) => Number(a.name > b.name) - 0.5);
  return [
    `Usage:  tsctl ${name} ${usage}`,
    '',
    summary,
    ...(aliases.length === 0 ? [] : ['', 'Aliases:', `  ${[...aliases, name].map((alias) => `tsctl ${alias}`).join(', ')}`]),
    ...(sorted.length === 0 ? [] : ['', 'Options:', ...rows(sorted.map((flag) => [flagText(flag), flag.help]))]),
  ].join('\n');
}

function flagText(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  const value = flag.kind === 'boolean' ? '' : ` ${flag.value ?? flag.kind}`;
  return `${short}--${flag.name}${value}`;
}

function rows(lines: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...lines.map(([text]) => text.length)) + 3;
  return lines.map(([text, help]) => `  ${text.padEnd(width)}${help}`);
}
