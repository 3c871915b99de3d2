/** What a step finds at /etc/hosts and /etc/resolv.conf: files of the build, bound there while it runs. */

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNodeError } from '../../base/errors.ts';
import type { RuntimeMount } from './config.ts';

/** A resolver on the host that only the host's own network namespace can reach is of no use to a step without that. */
const STUB_RESOLVER = '/run/systemd/resolve/resolv.conf';

/** Writes both into `directory`. `hosts`: `NAME:ADDRESS` of --add-host. */
export function hostFileMounts(directory: string, hosts: readonly string[], network: 'default' | 'none' | 'host'): RuntimeMount[] {
  const contents = { hosts: hostsFile(hosts), 'resolv.conf': network === 'none' ? '' : resolvers() };
  return Object.entries(contents).map(([name, content]) => {
    const source = join(directory, name);
    writeFileSync(source, content);
    // Whatever the umask: all users of the image read them.
    chmodSync(source, 0o644);
    return { destination: `/etc/${name}`, type: 'bind', source, options: ['rbind', 'ro', 'nosuid', 'nodev', 'noexec'] };
  });
}

function hostsFile(hosts: readonly string[]): string {
  const own = ['127.0.0.1 localhost build', '::1 localhost ip6-localhost ip6-loopback'];
  const added = hosts.map((one) => {
    const at = one.search(/[:=]/);
    return `${one.slice(at + 1).replace(/^\[(.*)\]$/, '$1')} ${one.slice(0, at)}`;
  });
  return `${[...own, ...added].join('\n')}\n`;
}

function resolvers(): string {
  const text = readOr('/etc/resolv.conf');
  const isStub = /^\s*nameserver\s+127\.0\.0\.53\s*$/m.test(text);
  return (isStub ? readOr(STUB_RESOLVER) : '') || text;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'EACCES')) return '';
    throw error;
  }
}
