/** tsimg: finds the command, makes what it needs, and turns failures into a line and an exit code: the only place where that is done. */

import { SyscallError } from '../../../runtime/src/base/errors.ts';
import { SpecError } from '../../../specs/image/shape.ts';
import { ImageError } from '../base/errors.ts';
import { defaultRoot } from '../store/default-root.ts';
import { type OptionSpec, parseArgs, usage } from './args.ts';
import type { Command } from './command.ts';
import { GLOBAL, splitCommandLine, unknownCommand } from './command-line.ts';
import { COMMANDS } from './commands.ts';
import { makeContext, Network } from './context.ts';

const EXIT_USAGE = 2;

async function main(argv: readonly string[]): Promise<number> {
  const { word, words } = splitCommandLine(argv);
  if (word === undefined || word === 'help') {
    process.stdout.write(`${help().join('\n')}\n`);
    return argv.length === 0 ? EXIT_USAGE : 0;
  }
  const command = await COMMANDS.find((one) => one.name === word || one.alias === word)?.load();
  if (command === undefined) {
    const names = COMMANDS.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]));
    throw unknownCommand(argv, word, names);
  }
  const args = parseArgs(words, [...GLOBAL, ...command.options]);
  if (args.flag('help')) {
    process.stdout.write(`${commandHelp(command).join('\n')}\n`);
    return 0;
  }
  const [least, most] = command.positionals;
  if (args.positionals.length < least || args.positionals.length > most) throw usage(`usage: tsimg ${command.name} ${command.usage}`);
  const network = new Network(args.values('cert-dir'), args.values('insecure'));
  const root = args.value('root') ?? defaultRoot({ uid: process.geteuid?.() ?? 0, env: process.env });
  try {
    return (await command.run(makeContext(network, { root, progress: args.value('progress') ?? 'auto' }), args)) ?? 0;
  } finally {
    await network.close();
  }
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

function help(): string[] {
  const width = Math.max(...COMMANDS.map((command) => command.name.length)) + 2;
  return [
    'Usage: tsimg COMMAND [OPTIONS]',
    '',
    ...COMMANDS.map((command) => `  ${command.name.padEnd(width)}${command.summary}`),
    '',
    ...optionHelp(GLOBAL),
  ];
}

function commandHelp(command: Command): string[] {
  return [`Usage: tsimg ${command.name} ${command.usage}`, '', command.summary, '', ...optionHelp([...command.options, ...GLOBAL])];
}

function optionHelp(options: readonly OptionSpec[]): string[] {
  const names = options.map(
    (one) => `${one.short === undefined ? '    ' : `-${one.short}, `}--${one.name}${one.value === undefined ? '' : ` ${one.value}`}`,
  );
  const width = Math.max(...names.map((text) => text.length)) + 2;
  return options.map((one, index) => `  ${(names[index] ?? '').padEnd(width)}${one.help}`);
}

/** A stack only for what nobody foresaw. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isForeseen = error instanceof ImageError || error instanceof SpecError || error instanceof SyscallError || 'syscall' in error;
  return isForeseen ? error.message : (error.stack ?? error.message);
}

function report(error: unknown): number {
  note(`tsimg: ${textOf(error)}`);
  if (error instanceof ImageError && error.hint !== undefined) note(error.hint);
  return error instanceof ImageError && error.code === 'usage' ? EXIT_USAGE : 1;
}

// A reader that has seen enough (`| head`) is no failure of ours to tell about.
process.stdout.on('error', (error) => {
  process.exit('code' in error && error.code === 'EPIPE' ? 0 : 1);
});

main(process.argv.slice(2))
  .catch(report)
  // At once: nothing is under way any more, standard output is written synchronously, and tearing down the heap takes 20 ms.
  .then((code) => process.exit(code))
  .catch(report);
