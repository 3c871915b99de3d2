/** The help texts, made of the commands' own flags and one sentence each. */

import type { Flag } from './args.ts';
import type { Command } from './command.ts';
import { GLOBAL_FLAGS } from './globals.ts';
import { COMMAND_HELP, FLAG_HELP, GLOBAL_FLAG_HELP } from './help-texts.ts';

/** Before the texts of flags and commands. */
const FLAG_COLUMN = 28;
const COMMAND_COLUMN = 12;

export function overview(commands: readonly Command[]): string {
  return [
    'tsrun runs containers from OCI bundles (a directory with config.json and a root file system).',
    '',
    'Usage: tsrun [GLOBAL FLAGS] COMMAND [FLAGS] [ARGUMENTS]',
    '',
    'Commands:',
    ...commands.map(({ name }) => `  ${name.padEnd(COMMAND_COLUMN)}${COMMAND_HELP[name]?.summary ?? ''}`),
    '',
    'Global flags, before the command or after it:',
    ...globalFlagLines(),
    '',
    'More on a command: tsrun COMMAND --help',
    'A first container: tsrun spec, then put a root file system into ./rootfs, then tsrun run NAME',
    '',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const help = COMMAND_HELP[command.name];
  const flags = Object.entries(command.flags);
  return [
    `${help?.summary ?? ''}`,
    '',
    `Usage: tsrun ${command.name}${flags.length === 0 ? '' : ' [FLAGS]'}${help === undefined || help.usage === '' ? '' : ` ${help.usage}`}`,
    ...(help?.details === undefined ? [] : ['', help.details]),
    ...(flags.length === 0 ? [] : ['', 'Flags:']),
    ...flags.map(([name, flag]) => flagLine(name, flag, FLAG_HELP[command.name]?.[name] ?? FLAG_HELP['']?.[name])),
    '',
  ].join('\n');
}

function globalFlagLines(): string[] {
  const flags: readonly (readonly [string, Flag])[] = Object.entries(GLOBAL_FLAGS);
  return flags.filter(([name]) => GLOBAL_FLAG_HELP[name] !== undefined).map(([name, flag]) => flagLine(name, flag, GLOBAL_FLAG_HELP[name]));
}

/** `help` may begin with the value's name in capital letters. */
function flagLine(name: string, flag: Flag, help: readonly [string, string] | undefined): string {
  const [value, text] = help ?? ['', ''];
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  const left = `  ${short}--${name}${flag.kind === 'switch' ? '' : ` ${value}`}`;
  return `${left.padEnd(FLAG_COLUMN)}  ${text}`;
}
