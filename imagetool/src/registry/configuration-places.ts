/** Where registries are configured, on both engines. */

/** Certificates and hosts.toml, where docker, containers and containerd keep them, in a directory for each host. */
export const CERTIFICATE_DIRECTORIES = ['/etc/docker/certs.d', '/etc/containers/certs.d', '/etc/containerd/certs.d'];
/** With more of its kind in the directory that is named `.d` in addition. */
export const SYSTEM_CONF = '/etc/containers/registries.conf';

/** containerd's spellings of a host with a port, and its last resort. */
export function directoryNames(domain: string): string[] {
  return [...new Set([domain, domain.replace(/:(\d+)$/, '_$1_'), '_default'])];
}
