/**
 * The network of a container whose user is not root: pasta, or else slirp4netns, carries what the container sends and what comes to published ports by sockets of the
 * user's. One process a container, which goes on when the shim ends; its pid is in the container's directory.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ContainerError } from '../container/errors.ts';
import { readText, replaceText } from '../container/files.ts';
import { processStartTime } from '../container/processes.ts';
import type { Endpoint, PortBinding } from '../container/record.ts';
import { rootlessPlaces } from './places.ts';

/** slirp4netns has these; pasta is told the same, so that the addresses of the host are others. */
const ADDRESS = '10.0.2.100';
const GATEWAY = '10.0.2.2';
const PREFIX_LENGTH = 24;
/** Asks the servers that the host asks, also those on its loopback. */
export const NAME_SERVER = '10.0.2.3';
const INTERFACE = 'eth0';

type Ports = Readonly<Record<string, readonly PortBinding[]>>;

export interface UserNetworkOptions {
  readonly sys: Sys;
  /** Of the container; the files of its network are there. */
  readonly directory: string;
  /** A process in the network namespace. */
  readonly pid: number;
  readonly ports: Ports;
}

/** @throws ContainerError network */
export async function connectUserNetwork(options: UserNetworkOptions): Promise<Endpoint> {
  disconnectUserNetwork(options.sys, options.directory);
  const [pasta, slirp] = [findProgram('pasta'), findProgram('slirp4netns')];
  if (pasta !== undefined) await withNetwork(options, (path) => startPasta(pasta, path, options));
  else if (slirp !== undefined) await withNetwork(options, (path) => startSlirp(slirp, path, options));
  else {
    throw new ContainerError('network', 'neither pasta nor slirp4netns is installed, and the network of a user who is not root needs one', {
      hint: 'Install the package passt (or slirp4netns); or use --network host or none.',
    });
  }
  return {
    ...{ network: 'bridge', networkId: '', interfaceName: INTERFACE, ipAddress: ADDRESS, prefixLength: PREFIX_LENGTH, gateway: GATEWAY },
    ...{ ipv6Address: '', macAddress: '' },
  };
}

/** What is not there is nothing to end. */
export function disconnectUserNetwork(sys: Sys, directory: string): void {
  // Of a shim that was killed while it connected one.
  if (existsSync(networkFile(directory))) tryCall(sys, 'umount2', networkFile(directory), MNT_DETACH);
  const file = pidFile(directory);
  const [pid, startTime] = (readText(file) ?? '').trim().split(' ');
  if (startTime !== undefined && processStartTime(Number(pid)) === startTime) process.kill(Number(pid), 'SIGKILL');
  rmSync(file, { force: true });
  rmSync(slirpSocket(directory), { force: true });
}

function pidFile(directory: string): string {
  return join(directory, 'network.pid');
}

function networkFile(directory: string): string {
  return join(directory, 'network.ns');
}

/** A socket's path has 107 bytes at most, and a container's directory nearly as many. */
function slirpSocket(directory: string): string {
  const session = process.env['XDG_RUNTIME_DIR'];
  return session === undefined
    ? join(directory, 's')
    : join(rootlessPlaces(session).directory, `slirp-${basename(directory).slice(0, 12)}`);
}

function logFile(directory: string): string {
  return join(directory, 'network.log');
}

const DIRECTORIES = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin', '/usr/local/sbin'];

function findProgram(name: string): string | undefined {
  return DIRECTORIES.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface Forward {
  /** '' for all. */
  readonly host: string;
  readonly hostPort: number;
  readonly port: number;
  readonly protocol: string;
}

/** What is published on all addresses of both kinds is one. Exported for its test. */
export function forwardsOf(ports: Ports): Forward[] {
  const forwards = Object.entries(ports).flatMap(([name, bindings]) => {
    const [port, protocol = 'tcp'] = name.split('/');
    return bindings.map(({ HostIp, HostPort }): Forward => {
      const host = HostIp === '0.0.0.0' || HostIp === '::' ? '' : HostIp;
      return { host, hostPort: Number(HostPort), port: Number(port), protocol };
    });
  });
  return forwards.filter((one, index) => forwards.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === index);
}

/** Exported for its test. */
export function pastaWords(forwards: readonly Forward[]): string[] {
  const specs = (protocol: string) =>
    forwards
      .filter((one) => one.protocol === protocol)
      .map(({ host, hostPort, port }) => `${host === '' ? '' : `${host}/`}${hostPort}:${port}`);
  const flags = (flag: string, protocol: string) => {
    const found = specs(protocol);
    return found.length === 0 ? [flag, 'none'] : found.flatMap((spec) => [flag, spec]);
  };
  return [
    ...['--config-net', '--quiet', '--foreground', '--stderr', '--ns-ifname', INTERFACE],
    ...['--address', ADDRESS, '--netmask', String(PREFIX_LENGTH), '--gateway', GATEWAY, '--dns-forward', NAME_SERVER],
    // Nothing of the host's loopback, in neither direction but what is published.
    ...['--no-map-gw', '-T', 'none', '-U', 'none', ...flags('-t', 'tcp'), ...flags('-u', 'udp')],
  ];
}

async function startPasta(program: string, path: string, { directory, pid, ports }: UserNetworkOptions): Promise<void> {
  const child = launch(program, [...pastaWords(forwardsOf(ports)), '--netns', path], directory);
  await untilReady(child, directory, () => hasRoute(pid));
}

async function startSlirp(program: string, path: string, { sys, directory, pid, ports }: UserNetworkOptions): Promise<void> {
  const socket = slirpSocket(directory);
  rmSync(socket, { force: true });
  const words = ['--configure', '--mtu=65520', '--disable-host-loopback', `--api-socket=${socket}`, '--netns-type=path', path, INTERFACE];
  const child = launch(program, words, directory);
  await untilReady(child, directory, () => hasRoute(pid) && existsSync(socket));
  try {
    for (const forward of forwardsOf(ports)) await addForward(socket, forward);
  } catch (error) {
    disconnectUserNetwork(sys, directory);
    throw error;
  }
}

/** @throws ContainerError port */
async function addForward(socket: string, { host, hostPort, port, protocol }: Forward): Promise<void> {
  const settings = { proto: protocol, host_addr: host === '' ? '0.0.0.0' : host, host_port: hostPort, guest_port: port };
  const answer = await ask(socket, JSON.stringify({ execute: 'add_hostfwd', arguments: settings }));
  if (!answer.includes('"error"')) return;
  throw new ContainerError('port', `Bind for ${settings.host_addr}:${hostPort} failed: slirp4netns says ${answer.trim()}`);
}

function ask(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection(path, () => socket.end(request));
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

function launch(program: string, words: readonly string[], directory: string): ChildProcess {
  // A file, for a pipe's reader could end before it.
  const log = openSync(logFile(directory), 'w', 0o600);
  const child = spawn(program, words, { detached: true, cwd: '/', stdio: ['ignore', log, log], env: {} });
  closeSync(log);
  child.unref();
  if (child.pid !== undefined) replaceText(pidFile(directory), `${child.pid} ${processStartTime(child.pid) ?? ''}\n`, 0o600);
  return child;
}

const MS_BIND = 4096;
const MNT_DETACH = 2;

/**
 * Runs `action` with a path of the network namespace that needs no right to the process: pasta gives its rights away before it looks, and cannot join the user
 * namespace, which is ours, a second time.
 */
async function withNetwork<T>({ sys, directory, pid }: UserNetworkOptions, action: (path: string) => Promise<T>): Promise<T> {
  const path = networkFile(directory);
  writeFileSync(path, '');
  call(sys, 'mount', path, `/proc/${pid}/ns/net`, path, null, MS_BIND, null);
  try {
    return await action(path);
  } finally {
    // The file stays: pasta takes its removal for the end of the namespace.
    tryCall(sys, 'umount2', path, MNT_DETACH);
  }
}

const PATIENCE_MS = 30_000;

async function untilReady(child: ChildProcess, directory: string, isReady: () => boolean): Promise<void> {
  let failure = '';
  child.on('error', (error) => {
    failure = error.message;
  });
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until && failure === ''; await sleep(5)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (isReady()) return;
  }
  child.kill('SIGKILL');
  rmSync(pidFile(directory), { force: true });
  const lines = (readText(logFile(directory)) ?? '').split('\n').filter((line) => line.trim() !== '' && !line.includes('syslog'));
  throw new ContainerError(
    'network',
    `${child.spawnfile} did not connect the container: ${[failure, ...lines].filter((line) => line !== '').join('; ')}`,
    {
      hint: existsSync('/dev/net/tun') ? 'Or use --network host or none.' : 'There is no /dev/net/tun: modprobe tun makes it.',
    },
  );
}

/** The default route comes last (proc_pid_net(5), route: the destination is all zeros). */
function hasRoute(pid: number): boolean {
  return /^\S+\t00000000\t/m.test(readText(`/proc/${pid}/net/route`) ?? '');
}
