/** tsimg: finds the command, makes what it needs, and turns failures into a line and an exit code: the only place where that is done. */

import { SyscallError } from '../../../runtime/src/base/errors.ts';
import { SpecError } from '../../../specs/image/shape.ts';
import { ImageError } from '../base/errors.ts';
import { defaultRoot } from '../store/store.ts';
import { type OptionSpec, parseArgs, usage } from './args.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { makeContext, Network } from './context.ts';

const GLOBAL: readonly OptionSpec[] = [
  { name: 'root', value: 'DIR', help: 'the image store (default /var/lib/tsrun, or $XDG_DATA_HOME/tsrun)' },
  { name: 'insecure', value: 'HOST', help: 'allow plain HTTP and unknown certificates for this registry; may be repeated' },
  { name: 'cert-dir', value: 'DIR', help: 'more certificates, as in /etc/docker/certs.d' },
  { name: 'progress', value: 'auto|plain|json', help: 'how transfers and builds are shown; builds also know tty' },
  { name: 'help', short: 'h', help: 'print help' },
];

const EXIT_USAGE = 2;

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  // Options of all commands may also stand before the command's name, as docker's and skopeo's do.
  const at = argv.findIndex((arg, index) => !arg.startsWith('-') && !takesValue(argv[index - 1]));
  const word = at < 0 ? undefined : argv[at];
  if (word === undefined || word === 'help') {
    process.stdout.write(`${help().join('\n')}\n`);
    return name === undefined ? EXIT_USAGE : 0;
  }
  const command = await COMMANDS.find((one) => one.name === word)?.load();
  if (command === undefined) throw usage(`there is no command ${JSON.stringify(word)}; tsimg help lists them`);
  const args = parseArgs([...argv.slice(0, at), ...(at === 0 ? rest : argv.slice(at + 1))], [...GLOBAL, ...command.options]);
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

function takesValue(arg: string | undefined): boolean {
  return arg !== undefined && GLOBAL.some((option) => option.value !== undefined && arg === `--${option.name}`);
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
  .then((code) => {
    process.exitCode = code;
  })
  .catch(report);
