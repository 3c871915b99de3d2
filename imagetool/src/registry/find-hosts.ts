/** Finds what is configured for a registry: a hosts.toml in one of the directories of certificates, or else containers' registries.conf. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { isNodeError } from '../base/errors.ts';
import type { Environment } from './credentials.ts';
import { NO_MIRRORS, parseHostsToml, parseRegistriesConf, type RegistryHosts } from './hosts.ts';
import type { TlsSettings } from './transport.ts';

const SYSTEM_CONF = '/etc/containers/registries.conf';

/** For `domain` and the repository `path`. Throws ImageError for a file that cannot be understood, and for a blocked registry. */
export function findRegistryHosts(
  { domain, path }: { readonly domain: string; readonly path: string },
  { directories, env }: { readonly directories: readonly string[]; readonly env: Environment },
): RegistryHosts {
  for (const directory of directories) {
    for (const name of directoryNames(domain)) {
      const file = join(directory, name, 'hosts.toml');
      const text = readIfAllowed(file);
      if (text !== undefined) return parseHostsToml(text, file, domain);
    }
  }
  const documents = confFiles(env).flatMap((file) => {
    const text = readIfAllowed(file);
    return text === undefined ? [] : [{ text, file }];
  });
  return documents.length === 0 ? NO_MIRRORS : parseRegistriesConf(documents, `${domain}/${path}`);
}

/** TLS settings of mirrors that their own configuration gives, by host. */
export function mirrorTls({ mirrors }: RegistryHosts): Map<string, TlsSettings> {
  return new Map(
    mirrors.map(({ host, caFiles, client, isInsecure }) => [
      host,
      {
        ...(caFiles.length === 0 ? {} : { ca: [...rootCertificates, ...caFiles.map(read)].join('\n') }),
        ...(client === undefined ? {} : { cert: read(client.cert), key: read(client.key) }),
        ...(isInsecure ? { skipVerify: true } : {}),
      },
    ]),
  );
}

/** containerd's spellings of a host with a port, and its last resort. */
function directoryNames(domain: string): string[] {
  return [...new Set([domain, domain.replace(/:(\d+)$/, '_$1_'), '_default'])];
}

function confFiles(env: Environment): string[] {
  const given = env['CONTAINERS_REGISTRIES_CONF'];
  if (given !== undefined && given !== '') return [given];
  const home = env['HOME'] === undefined || env['HOME'] === '' ? undefined : join(env['HOME'], '.config/containers/registries.conf');
  const main = home !== undefined && readIfAllowed(home) !== undefined ? home : SYSTEM_CONF;
  return [main, ...[SYSTEM_CONF, ...(home === undefined ? [] : [home])].flatMap((file) => additions(`${file}.d`))];
}

function additions(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(directory, name));
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function readIfAllowed(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}
