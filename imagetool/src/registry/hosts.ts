/** Where else a registry's images are to be had: containerd's hosts.toml (docs/hosts.md) and containers-registries.conf(5), as one list of mirrors. */

import { dirname, resolve } from 'node:path';
import { ImageError } from '../base/errors.ts';
import { isTomlTable, parseToml, type TomlTable, type TomlValue } from './toml.ts';

/** What a mirror may be asked for: content by digest, what a tag stands for. */
export type Capability = 'pull' | 'resolve';

export interface MirrorHost {
  /** With its port, as in a reference. */
  readonly host: string;
  /** Undefined: HTTPS, or what is found out where plain HTTP is allowed. */
  readonly scheme?: 'http' | 'https';
  /** What stands in the place of `/v2`. */
  readonly apiPath: string;
  /** Repositories below `from` are below `to` there; both may be empty. */
  readonly repositories: { readonly from: string; readonly to: string };
  /** The registry's name, told to mirrors that serve several (`?ns=`). */
  readonly namespace?: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly headers: Readonly<Record<string, string>>;
  /** Plain HTTP and any certificate will do. */
  readonly isInsecure: boolean;
  /** Paths of an authority's certificate, a client certificate and its key. */
  readonly caFiles: readonly string[];
  readonly client?: { readonly cert: string; readonly key: string };
}

export interface RegistryHosts {
  readonly mirrors: readonly MirrorHost[];
  /** The registry's own root, `https://host`, if it is not the one its name says. */
  readonly server?: string;
  readonly isInsecure: boolean;
  /** The registry's name is only a name: what no mirror has is nowhere. */
  readonly isReplaced: boolean;
}

export const NO_MIRRORS: RegistryHosts = { mirrors: [], isInsecure: false, isReplaced: false };

/** Reads a hosts.toml. `file` is its path, against which others in it count. Throws ImageError. */
export function parseHostsToml(text: string, file: string, registry: string): RegistryHosts {
  const table = parseToml(text, file);
  const server = textOf(table, 'server');
  const hosts = isTomlTable(table['host']) ? table['host'] : {};
  return {
    ...NO_MIRRORS,
    mirrors: Object.entries(hosts).map(([url, settings]) => hostOf(url, isTomlTable(settings) ? settings : {}, { file, registry })),
    ...(server === undefined ? {} : { server: urlOf(server, file).origin }),
  };
}

function hostOf(text: string, settings: TomlTable, { file, registry }: { file: string; registry: string }): MirrorHost {
  const url = urlOf(text, file);
  const path = url.pathname.replace(/\/$/, '');
  const isOverridden = settings['override_path'] === true;
  const capabilities = Array.isArray(settings['capabilities']) ? settings['capabilities'] : ['pull', 'resolve'];
  const [cert, key = cert] = stringsIn(settings['client']);
  const headers = isTomlTable(settings['header']) ? settings['header'] : {};
  const at = (name: string) => resolve(dirname(file), name);
  return {
    host: url.host,
    scheme: url.protocol === 'http:' ? 'http' : 'https',
    apiPath: isOverridden || /\/v2(?:\/|$)/.test(path) ? path : `${path}/v2`,
    repositories: { from: '', to: '' },
    namespace: registry,
    capabilities: new Set((['pull', 'resolve'] as const).filter((one) => capabilities.includes(one))),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), stringsIn(value).join(', ')])),
    isInsecure: settings['skip_verify'] === true,
    caFiles: stringsIn(settings['ca']).map(at),
    ...(cert === undefined || key === undefined ? {} : { client: { cert: at(cert), key: at(key) } }),
  };
}

/**
 * Reads registries.conf and what its directory adds; of several entries the one with the longest matching prefix counts, of equal ones the last.
 * `name` is the registry and repository, `docker.io/library/busybox`. Throws ImageError, also for a registry that is blocked.
 */
export function parseRegistriesConf(documents: readonly { readonly text: string; readonly file: string }[], name: string): RegistryHosts {
  let found: { readonly prefix: string; readonly entry: TomlTable; readonly file: string } | undefined;
  for (const { text, file } of documents) {
    const { registry } = parseToml(text, file);
    for (const entry of tablesIn(registry)) {
      const prefix = textOf(entry, 'prefix') ?? textOf(entry, 'location') ?? '';
      if (matches(name, prefix) && prefix.length >= (found?.prefix.length ?? 0)) found = { prefix, entry, file };
    }
  }
  if (found === undefined) return NO_MIRRORS;
  const { prefix, entry, file } = found;
  if (entry['blocked'] === true) throw new ImageError('blocked', `${file} blocks ${prefix}`);
  const mirrors = tablesIn(entry['mirror']).map((mirror) => locationOf(mirror, { name, prefix, entry }));
  const location = textOf(entry, 'location') ?? prefix;
  const isReplaced = location !== prefix;
  return {
    mirrors: isReplaced ? [...mirrors, locationOf({ ...entry, 'pull-from-mirror': 'all' }, { name, prefix, entry: {} })] : mirrors,
    isInsecure: entry['insecure'] === true,
    isReplaced,
  };
}

interface ConfEntry {
  readonly name: string;
  readonly prefix: string;
  readonly entry: TomlTable;
}

function locationOf(mirror: TomlTable, { name, prefix, entry }: ConfEntry): MirrorHost {
  const location = textOf(mirror, 'location') ?? prefix;
  // `*.example.com` stands for the host that matched.
  const whole = prefix.startsWith('*.') ? name.slice(0, name.indexOf('/')) : prefix;
  const [, host = location, to = ''] = /^([^/]+)(?:\/(.*))?$/.exec(location) ?? [];
  const from = whole.includes('/') ? whole.slice(whole.indexOf('/') + 1) : '';
  const which = entry['mirror-by-digest-only'] === true ? 'digest-only' : (textOf(mirror, 'pull-from-mirror') ?? 'all');
  return {
    host,
    apiPath: '/v2',
    repositories: { from, to },
    // Content is content, by whatever name it was asked for: only what a tag stands for is a mirror's own word.
    capabilities: new Set(which === 'digest-only' ? ['pull'] : ['pull', 'resolve']),
    headers: {},
    isInsecure: mirror['insecure'] === true,
    caFiles: [],
  };
}

function matches(name: string, prefix: string): boolean {
  if (prefix.startsWith('*.')) return name.slice(0, name.indexOf('/')).endsWith(prefix.slice(1));
  return prefix !== '' && (name === prefix || name.startsWith(`${prefix}/`));
}

function urlOf(text: string, file: string): URL {
  const url = /^https?:\/\//.test(text) ? text : `https://${text}`;
  if (!URL.canParse(url)) throw new ImageError('mirror', `${file}: ${JSON.stringify(text)} is not a URL`);
  return new URL(url);
}

function textOf(table: TomlTable, name: string): string | undefined {
  const value = table[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function tablesIn(value: TomlValue | undefined): TomlTable[] {
  return Array.isArray(value) ? (value as readonly TomlValue[]).filter(isTomlTable) : [];
}

/** The strings of a string, a list, or a list of lists. */
function stringsIn(value: TomlValue | undefined): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as readonly TomlValue[]).flatMap(stringsIn) : [];
}
