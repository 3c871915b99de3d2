/** What EXPOSE takes: `80`, `80/udp`, `8000-8010/tcp`, and, though it means nothing there, an address and a host's port before it. */

const PROTOCOLS = ['tcp', 'udp', 'sctp'];
const MOST_PORT = 65_535;

export interface ExposedPorts {
  /** `80/tcp`, one for each port. */
  readonly ports: readonly string[];
  /** The protocol as written, if it is. */
  readonly protocol?: string;
  /** An address or a port of the host: `docker run -p` has those. */
  readonly mapsHost: boolean;
}

/** A string is the reason why the text is no port. */
export function parsePorts(text: string): ExposedPorts | string {
  const parts = text.split(':');
  const own = parts.at(-1) ?? '';
  const hostPort = parts.at(-2) ?? '';
  const address = parts.slice(0, -2).join(':');
  const [range = '', protocol = '', ...more] = own.split('/');
  if (range === '') return 'the port is missing';
  if (more.length > 0 || (protocol !== '' && !PROTOCOLS.includes(protocol.toLowerCase()))) {
    return `the protocol is one of ${PROTOCOLS.join(', ')}, not ${JSON.stringify([protocol, ...more].join('/'))}`;
  }
  const ports = parseRange(range);
  if (typeof ports === 'string') return ports;
  if (hostPort !== '') {
    const hosts = parseRange(hostPort);
    if (typeof hosts === 'string') return hosts;
    const count = ports[1] - ports[0];
    if (count !== 0 && count !== hosts[1] - hosts[0]) return `${range} and ${hostPort} are not equally many ports`;
  }
  const kind = protocol === '' ? 'tcp' : protocol.toLowerCase();
  return {
    ports: Array.from({ length: ports[1] - ports[0] + 1 }, (_, index) => `${ports[0] + index}/${kind}`),
    ...(protocol === '' ? {} : { protocol }),
    mapsHost: address !== '' || hostPort !== '',
  };
}

function parseRange(text: string): readonly [first: number, last: number] | string {
  const [, start, end] = /^\+?(\d+)(?:-\+?(\d+))?$/.exec(text) ?? [];
  if (start === undefined) return `${JSON.stringify(text)} is no port and no range of ports`;
  const first = Number(start);
  const last = Number(end ?? start);
  if (first > MOST_PORT || last > MOST_PORT) return `${text}: ports go up to ${MOST_PORT}`;
  return last < first ? `${text}: the range ends before it begins` : [first, last];
}
