/** Moving the host's network devices, once the container's network namespace is there. */
import type { Linux } from '../../../../specs/runtime/linux/linux.ts';
import { RuntimeError } from '../../base/errors.ts';
import { type MovedDevice, moveBack, moveIntoContainer, type NetworkSide } from '../../devices/net-devices.ts';
import { type AgentFds, closeTemporaries } from '../../init/agent-fds.ts';
import { encodeProgram } from '../../init/encode.ts';
import type { InitProcess } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import { sendDescriptor } from '../../init/rights.ts';
import { close, open } from '../../linux/files.ts';
import { AF_NETLINK, NETLINK_ROUTE, openNetlink, SOCK_RAW } from '../../linux/netlink.ts';
import { O_CLOEXEC } from '../../linux/open-flags.ts';
import { receiveWithFds, SOCK_CLOEXEC } from '../../linux/sockets.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Undo } from '../context/undo.ts';

const MARK = 'n';
const OBJECT = 'the init channel';
const STEP = 'open a socket in the network namespace';

/** An init process that waits for programs, and has opened nothing yet. */
export interface NetworkInit {
  readonly init: InitProcess;
  readonly fds: AgentFds;
}

/**
 * Moves the devices; `undo` moves them back. Returns the function that gives up the way back, when the container is complete.
 * @throws RuntimeError 'net-device'
 */
export function moveNetDevices(sys: Sys, devices: Linux['netDevices'], target: NetworkInit, undo: Undo): () => void {
  const entries = Object.entries(devices ?? {});
  if (entries.length === 0) return () => undefined;
  const sides = openSides(sys, target);
  let open = true;
  const closeSides = (): void => {
    if (open) for (const { socket, namespaceFd } of [sides.host, sides.container]) for (const fd of [socket, namespaceFd]) close(sys, fd);
    open = false;
  };
  undo.push(closeSides);
  for (const [hostName, device] of entries) {
    let moved: MovedDevice | undefined;
    undo.push(() => {
      if (moved !== undefined) moveBack(sys, moved, sides);
    });
    moveIntoContainer(sys, hostName, device, sides, (now) => {
      moved = now;
    });
  }
  return closeSides;
}

interface Sides {
  readonly host: NetworkSide;
  readonly container: NetworkSide;
}

function openSides(sys: Sys, target: NetworkInit): Sides {
  const opened: number[] = [];
  const keep = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  try {
    const own = '/proc/self/ns/net';
    const namespace = `/proc/${target.init.pid}/ns/net`;
    const host = { name: own, namespaceFd: keep(open(sys, own)), socket: keep(openNetlink(sys)) };
    return { host, container: { name: namespace, namespaceFd: keep(open(sys, namespace)), socket: keep(socketOfInit(sys, target)) } };
  } catch (error) {
    for (const fd of opened) close(sys, fd);
    throw error;
  }
}

/** A socket belongs to the network namespace that it was made in, whoever uses it. */
function socketOfInit(sys: Sys, { init, fds }: NetworkInit): number {
  const program = new Program({ step: STEP, configPath: 'linux.netDevices' });
  // What joining namespaces has opened and forgotten; then the next number is `temporary`, and this one is another.
  closeTemporaries(program, fds);
  const known = fds.temporary + 1;
  const socket = program.call('socket', [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE]);
  program.call('dup3', [socket, known, O_CLOEXEC]);
  sendDescriptor(program, fds.nextChannel, known, MARK, OBJECT);
  program.call('close', [socket]);
  program.call('close', [known]);
  init.sendEncoded(encodeProgram(sys, program).message, STEP);
  const [ours] = receiveWithFds(sys, init.channel, MARK.length, OBJECT).fds;
  if (ours === undefined) throw new RuntimeError('net-device', `cannot ${STEP}`, { configPath: 'linux.netDevices' });
  try {
    init.receive(program);
    return ours;
  } catch (error) {
    close(sys, ours);
    throw error;
  }
}
