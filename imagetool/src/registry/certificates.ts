/** Certificates for registries, where docker, containers and containerd keep them: `<dir>/<host>/{*.crt, *.cert + *.key}`. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { isNodeError } from '../base/errors.ts';
import type { TlsSettings } from './transport.ts';

export const CERTIFICATE_DIRECTORIES = ['/etc/docker/certs.d', '/etc/containers/certs.d', '/etc/containerd/certs.d'];

export interface CertificateOptions {
  readonly directories: readonly string[];
  /** Hosts whose certificates need not be right. */
  readonly isInsecure: (host: string) => boolean;
}

/** TLS settings of a host (with its port, as in a reference). Extra authorities are added to the usual ones, not put in their place. */
export function tlsSettings(host: string, options: CertificateOptions): TlsSettings {
  const files = options.directories.flatMap((directory) => filesIn(join(directory, host)));
  const authorities = files.filter((file) => file.endsWith('.crt'));
  const certificate = files.find((file) => file.endsWith('.cert'));
  const key = certificate === undefined ? undefined : files.find((file) => file === certificate.replace(/cert$/, 'key'));
  return {
    ...(authorities.length === 0 ? {} : { ca: [...rootCertificates, ...authorities.map(read)].join('\n') }),
    ...(certificate === undefined || key === undefined ? {} : { cert: read(certificate), key: read(key) }),
    ...(options.isInsecure(host) ? { skipVerify: true } : {}),
  };
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}
