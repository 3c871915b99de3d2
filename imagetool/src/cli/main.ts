/** tsimg: finds the command, makes what it needs, and turns failures into a line and an exit code: the only place where that is done. */

import { SyscallError } from '../../../runtime/src/base/errors.ts';
import { SpecError } from '../../../specs/image/shape.ts';
import { ImageError } from '../base/errors.ts';
import type { ProgressListener } from '../image/progress.ts';
import type { Reference } from '../reference/reference.ts';
import type { Credentials } from '../registry/auth.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { TlsSettings, Transport } from '../registry/transport.ts';
import { defaultRoot, openLayout, openStore } from '../store/store.ts';
import { type OptionSpec, parseArgs, usage } from './args.ts';
import type { Command, Context } from './command.ts';
import { COMMANDS } from './commands.ts';

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
  try {
    return (await command.run(makeContext(network, args), args)) ?? 0;
  } finally {
    await network.close();
  }
}

function takesValue(arg: string | undefined): boolean {
  return arg !== undefined && GLOBAL.some((option) => option.value !== undefined && arg === `--${option.name}`);
}

/** Registries, from the first time one is asked for. */
class Network {
  readonly #directories: readonly string[];
  readonly #insecure: readonly string[];
  /** What configured mirrors need for TLS, by host. */
  readonly #mirrorTls = new Map<string, TlsSettings>();
  #transport: Promise<Transport> | undefined;

  constructor(directories: readonly string[], insecure: readonly string[]) {
    this.#directories = directories;
    this.#insecure = insecure;
  }

  isInsecure(host: string): boolean {
    return this.#insecure.includes(host);
  }

  async transport(): Promise<Transport> {
    this.#transport ??= this.#make();
    return await this.#transport;
  }

  /** With the mirrors that are configured for it. */
  async client({ domain, path }: Pick<Reference, 'domain' | 'path'>, credentials: Credentials | undefined): Promise<RegistryClient> {
    const { RegistryClient } = await import('../registry/client.ts');
    const { findCredentials } = await import('../registry/credentials.ts');
    const { CERTIFICATE_DIRECTORIES } = await import('../registry/certificates.ts');
    const { findRegistryHosts, mirrorTls } = await import('../registry/find-hosts.ts');
    const { Mirror } = await import('../registry/mirror.ts');
    const { env } = process;
    const directories = [...this.#directories, ...CERTIFICATE_DIRECTORIES];
    const hosts = findRegistryHosts({ domain, path }, { directories, env });
    for (const [host, tls] of mirrorTls(hosts)) this.#mirrorTls.set(host, tls);
    const transport = await this.transport();
    return new RegistryClient({
      host: domain,
      transport,
      isInsecure: this.isInsecure(domain) || hosts.isInsecure,
      credentials: async () => credentials ?? (await findCredentials(env, domain, path)),
      standIns: hosts.mirrors.map((mirror) => new Mirror(mirror, transport, () => findCredentials(env, mirror.host))),
      isReplaced: hosts.isReplaced,
      ...(hosts.server === undefined ? {} : { base: hosts.server }),
    });
  }

  async close(): Promise<void> {
    await (await this.#transport)?.close();
  }

  async #make(): Promise<Transport> {
    const { Transport } = await import('../registry/transport.ts');
    const { CERTIFICATE_DIRECTORIES, tlsSettings } = await import('../registry/certificates.ts');
    const certificates = {
      directories: [...this.#directories, ...CERTIFICATE_DIRECTORIES],
      isInsecure: (host: string) => this.isInsecure(host),
    };
    return new Transport({
      tlsFor: (host) => ({ ...tlsSettings(host, certificates), ...this.#mirrorTls.get(host) }),
      userAgent: 'tsimg/0.1',
      onRetry: (reason, waitMs) => note(`${reason}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
    });
  }
}

function makeContext(network: Network, args: ReturnType<typeof parseArgs>): Context {
  const root = args.value('root') ?? defaultRoot({ uid: process.geteuid?.() ?? 0, env: process.env });
  const sys = async () => {
    const { createNodeSys } = await import('../../../runtime/src/sys/node.ts');
    return createNodeSys();
  };
  const { env } = process;
  return {
    env,
    print: (line) => process.stdout.write(`${line}\n`),
    note,
    sys,
    layout: () => openLayout(root),
    store: async () => openStore(root, await sys()),
    progress: () => progressFor(args.value('progress') ?? 'auto'),
    client: (reference, credentials) => network.client(reference, credentials),
  };
}

async function progressFor(kind: string): Promise<ProgressListener> {
  const { progressJson, progressLines } = await import('./progress-lines.ts');
  if (kind === 'json') return progressJson(note);
  if (kind === 'plain' || !process.stderr.isTTY) return progressLines(note);
  const { progressView } = await import('./progress-view.ts');
  return progressView({ columns: process.stderr.columns, write: (text) => process.stderr.write(text) });
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
