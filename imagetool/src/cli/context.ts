/** What commands are given of the outside world; registries and the system interface are opened when they are first asked for. */

import { VERSION } from '../../../runtime/src/base/version.ts';
import type { ProgressListener } from '../image/progress.ts';
import type { Reference } from '../reference/reference.ts';
import type { Credentials } from '../registry/auth.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { TlsSettings, Transport } from '../registry/transport.ts';
import { openLayout, openStore } from '../store/store.ts';
import type { Context } from './command.ts';
import { writeText } from './write-text.ts';

/** Registries, from the first time one is asked for. */
export class Network {
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
      userAgent: `tsimg/${VERSION}`,
      onRetry: (reason, waitMs) => note(`${reason}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
    });
  }
}

export interface ContextOptions {
  /** The store's directory. */
  readonly root: string;
  /** `auto`, `plain` or `json`. */
  readonly progress: string;
}

export function makeContext(network: Network, { root, progress }: ContextOptions): Context {
  const sys = async () => {
    const { createNodeSys } = await import('../../../runtime/src/sys/node.ts');
    return createNodeSys();
  };
  const { env } = process;
  return {
    env,
    print: (line) => writeText(1, `${line}\n`),
    note,
    sys,
    layout: () => openLayout(root),
    store: async () => openStore(root, await sys()),
    progress: () => progressFor(progress),
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
  writeText(2, `${line}\n`);
}
