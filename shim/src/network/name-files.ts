/** /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, as text. */

export interface HostLine {
  readonly address: string;
  readonly names: readonly string[];
}

const FIXED: readonly HostLine[] = [
  { address: '127.0.0.1', names: ['localhost'] },
  { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
  { address: 'fe00::0', names: ['ip6-localnet'] },
  { address: 'ff00::0', names: ['ip6-mcastprefix'] },
  { address: 'ff02::1', names: ['ip6-allnodes'] },
  { address: 'ff02::2', names: ['ip6-allrouters'] },
];

/** `extra`: `name:address` of --add-host, `host-gateway` standing for `gateway`. `own` is the container; `peers` are the others on its networks. */
export function hostsFile(options: {
  readonly extra: readonly string[];
  readonly gateway: string;
  readonly own: readonly HostLine[];
  readonly peers: readonly HostLine[];
}): string {
  const extra = options.extra.map((text): HostLine => {
    const colon = text.search(/[:=]/);
    const address = text.slice(colon + 1);
    return { address: address === 'host-gateway' ? options.gateway : address, names: [text.slice(0, colon)] };
  });
  return [...FIXED, ...extra, ...options.own, ...options.peers].map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('');
}

export interface ResolvOptions {
  /** The host's file. */
  readonly host: string;
  readonly dns: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** The container has a network of its own, from which the host's loopback cannot be reached. */
  readonly isIsolated: boolean;
  /** Servers that ask those of the host which only the host can reach. */
  readonly forwarder?: readonly string[];
}

/** Where the host's servers cannot be reached and none are given, docker asks public ones. */
const PUBLIC_SERVERS = ['8.8.8.8', '8.8.4.4'];

export function resolvConf({ host, dns, search, options, isIsolated, forwarder = PUBLIC_SERVERS }: ResolvOptions): string {
  if (dns.length === 0 && search.length === 0 && options.length === 0 && !isIsolated) return host;
  const lines = host.split('\n').map((line) => line.trim().split(/\s+/));
  const of = (key: string) => lines.filter(([word]) => word === key).flatMap(([, ...values]) => values);
  const reachable = of('nameserver').filter((server) => !isIsolated || !/^(127\.|::1$)/.test(server));
  const found = reachable.length === 0 ? forwarder : reachable;
  const servers = dns.length > 0 ? dns : found;
  // `--dns-search .` means no search at all.
  const domains = search.length > 0 ? search.filter((domain) => domain !== '.') : of('search');
  const settings = options.length > 0 ? options : of('options');
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(domains.length === 0 ? [] : [`search ${domains.join(' ')}\n`]),
    ...(settings.length === 0 ? [] : [`options ${settings.join(' ')}\n`]),
  ].join('');
}
