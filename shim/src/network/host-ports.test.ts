import { createSocket } from 'node:dgram';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type HeldPorts, holdPorts, wantedPorts } from './host-ports.ts';

const hasV6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1') === true);
const anyPort = (HostIp: string) => ({ '80/tcp': [{ HostIp, HostPort: '' }] });

let held: HeldPorts[] = [];
let servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of held) one.release();
  for (const one of servers) one.close();
  [held, servers] = [[], []];
});

async function hold(...args: Parameters<typeof holdPorts>): Promise<HeldPorts> {
  const one = await holdPorts(...args);
  held.push(one);
  return one;
}

function listening(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1' }, () => resolve((server.address() as { port: number }).port)),
  );
}

function said(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host, port });
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.end('hello\n');
  });
}

describe('wantedPorts', () => {
  it('adds what is exposed where all are published', () => {
    const run = { ExposedPorts: { '1194/udp': {}, '80/tcp': {} } };
    const bound = { '80/tcp': [{ HostIp: '', HostPort: '8080' }] };
    expect(wantedPorts(run, { PortBindings: bound, PublishAllPorts: false })).toEqual(bound);
    expect(wantedPorts(run, { PortBindings: bound, PublishAllPorts: true })).toEqual({
      ...bound,
      '1194/udp': [{ HostIp: '', HostPort: '' }],
    });
  });
});

describe('holdPorts', () => {
  it('gives a port, the same again, and another while it is taken', async () => {
    const first = await hold(anyPort('127.0.0.1'), {});
    const port = first.ports['80/tcp']?.[0]?.HostPort ?? '';
    expect(Number(port)).toBeGreaterThan(0);
    const other = await hold(anyPort('127.0.0.1'), first.ports);
    expect(other.ports['80/tcp']?.[0]?.HostPort).not.toBe(port);
    await expect(holdPorts({ '80/tcp': [{ HostIp: '127.0.0.1', HostPort: port }] }, {})).rejects.toThrow(
      `Bind for 127.0.0.1:${port} failed: port is already allocated`,
    );
    first.release();
    const again = await hold(anyPort('127.0.0.1'), first.ports);
    expect(again.ports['80/tcp']?.[0]?.HostPort).toBe(port);
  });

  it('listens on every kind of address where none is said, with one number', async () => {
    const { ports } = await hold(anyPort(''), {});
    const bindings = ports['80/tcp'] ?? [];
    expect(bindings.map(({ HostIp }) => HostIp)).toEqual(hasV6 ? ['0.0.0.0', '::'] : bindings.slice(0, 1).map(() => '0.0.0.0'));
    expect(new Set(bindings.map(({ HostPort }) => HostPort)).size).toBe(1);
  });

  it('passes on what comes, in both directions, until it is released', async () => {
    const inner = await listening(createServer((socket) => socket.end(`inner ${socket.remoteFamily}\n`)));
    const one = await hold({ [`${inner}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] }, {});
    const port = Number(one.ports[`${inner}/tcp`]?.[0]?.HostPort);
    one.forwardTo('127.0.0.1');
    expect(await said('127.0.0.1', port)).toBe('inner IPv4\n');
    one.release();
    await expect(said('127.0.0.1', port)).rejects.toThrow();
  });

  it('passes datagrams on, and the answers back', async () => {
    const inner = createSocket('udp4');
    servers.push(inner);
    await new Promise<void>((resolve) => inner.bind(0, '127.0.0.1', () => resolve()));
    inner.on('message', (data, { port }) => inner.send(`pong ${data}`, port, '127.0.0.1'));
    const name = `${inner.address().port}/udp`;
    const one = await hold({ [name]: [{ HostIp: '127.0.0.1', HostPort: '' }] }, {});
    one.forwardTo('127.0.0.1');
    const client = createSocket('udp4');
    servers.push(client);
    const answer = new Promise<string>((resolve) => client.on('message', (data) => resolve(String(data))));
    client.send('hello', Number(one.ports[name]?.[0]?.HostPort), '127.0.0.1');
    expect(await answer).toBe('pong hello');
  });
});
