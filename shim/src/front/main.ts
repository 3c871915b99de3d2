/** tsctl: finds the command, makes what it needs, and turns failures into words and an exit code: the only place where that is done. */

import { writeSync } from 'node:fs';
import { ImageError } from '../../../imagetool/src/base/errors.ts';
import { ContainerError } from '../container/errors.ts';
import { hasErrorCode, messageOf } from '../container/files.ts';
import { placesAt } from '../container/places.ts';
import { type Arguments, parseArguments } from './cli/flags.ts';
import { takeGlobals } from './cli/globals.ts';
import { commandHelp, groupHelp, mainHelp } from './cli/help.ts';
import { commandOf } from './commands.ts';
import type { Context } from './context.ts';
import { findCommand } from './grammar/commands.ts';
import { DIRECTORY_VARIABLE, needsNamespaces } from './grammar/rootless-commands.ts';
import { shortVersion } from './listing/version-text.ts';
import { openContext } from './open-context.ts';

async function main(words: readonly string[]): Promise<number> {
  const { root, rest, wantsHelp, wantsVersion } = takeGlobals(words, process.env);
  if (wantsVersion) return print(shortVersion());
  if (rest.length === 0 || rest[0] === 'help') return print(helpFor(rest.slice(1)));
  const found = findCommand(rest);
  if (found === undefined || wantsHelp) return unknownCommand(rest, wantsHelp);
  const args = parseArguments(found.grammar, found.rest);
  if (args.flag('help')) return print(commandHelp(found.grammar));
  try {
    await enterPlace(root, found.grammar.name, args);
  } catch (error) {
    return report(error, found.grammar.name, undefined);
  }
  const opened = openContext(root === undefined ? undefined : placesAt(root), process.env);
  try {
    const command = await commandOf(found.grammar.name);
    return await command(opened.context, args);
  } catch (error) {
    return report(error, found.grammar.name, opened.context);
  } finally {
    await opened.close();
  }
}

/** Others than root go on as root of their own namespaces; who comes from there goes to where the command was called. */
async function enterPlace(root: string | undefined, command: string, args: Arguments): Promise<void> {
  if (needsNamespaces(command, args)) {
    const { continueInNamespaces } = await import('./rootless.ts');
    await continueInNamespaces(root, process.env);
  }
  const directory = process.env[DIRECTORY_VARIABLE];
  if (directory === undefined) return;
  delete process.env[DIRECTORY_VARIABLE];
  process.chdir(directory);
}

function helpFor(words: readonly string[]): string {
  const found = findCommand(words);
  return found === undefined ? (groupHelp(words[0] ?? '') ?? mainHelp()) : commandHelp(found.grammar);
}

function unknownCommand(words: readonly string[], wantsHelp: boolean): number {
  const [first = '', second] = words;
  const group = groupHelp(first);
  if (group !== undefined && (second === undefined || second === '--help' || wantsHelp)) return print(group);
  if (wantsHelp) return print(helpFor(words));
  const name = group === undefined ? first : words.slice(0, 2).join(' ');
  process.stderr.write(`tsctl: '${name}' is not a tsctl command.\nSee 'tsctl --help'\n`);
  return 1;
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

const FAILED_BEFORE_THE_COMMAND = 125;

function report(error: unknown, command: string, context: Pick<Context, 'note'> | undefined): number {
  const note = context === undefined ? (line: string) => process.stderr.write(`${line}\n`) : (line: string) => context.note(line);
  const isForeseen = error instanceof ContainerError || error instanceof ImageError || hasCode(error);
  const text = isForeseen || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
  const isPlain = error instanceof ContainerError && (error.code === 'flag' || error.code === 'usage');
  note(isPlain ? text : `tsctl: ${text}`);
  const hint = error instanceof ContainerError || error instanceof ImageError ? error.hint : undefined;
  if (hint !== undefined) note(hint);
  const isRun = command === 'run';
  if (isRun && !isPlain) note("\nRun 'tsctl run --help' for more information");
  if (error instanceof ContainerError && error.exitCode !== undefined && (isRun || isPlain || error.code === 'invalid'))
    return error.exitCode;
  return isRun ? FAILED_BEFORE_THE_COMMAND : 1;
}

/** Of the system, or of a registry: whoever reads it is told what and where. */
function hasCode(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ('code' in error || 'syscall' in error);
}

// A reader that has seen enough (`| head`) is no failure of ours to tell about.
process.stdout.on('error', (error) => {
  process.exit(hasErrorCode(error, 'EPIPE') ? 0 : 1);
});

main(process.argv.slice(2))
  .catch((error) => report(error, '', undefined))
  .then((code) => {
    process.exitCode = code;
    // Connections and terminals may hold the process; what it had to say is written, or is waited for.
    if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit(code);
  })
  .catch((error) => {
    writeSync(2, `tsctl: ${messageOf(error)}\n`);
    process.exit(1);
  });
