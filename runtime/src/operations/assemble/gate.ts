/**
 * The start gate: the last thing `create` has init do is accept(2) on a socket in the container's 0700 directory. Whoever starts the container
 * connects, becomes init's channel, and sends the last program. The container is `created` exactly while the socket is there.
 */
import { RuntimeError } from '../../base/errors.ts';
import { RESTART, SET_CHANNEL } from '../../init/agent/protocol.ts';
import type { AgentFds } from '../../init/agent-fds.ts';
import { receiveReply } from '../../init/channel.ts';
import { decodeReply, encodeProgram } from '../../init/encode.ts';
import { InitProcess } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import { call } from '../../linux/call.ts';
import { ECONNREFUSED, ENOENT, isErrno } from '../../linux/errno.ts';
import { connectUnix, listenUnix, SOCK_CLOEXEC } from '../../linux/sockets.ts';
import { type ContainerDirectory, GATE } from '../../state/store.ts';
import type { Sys } from '../../sys/sys.ts';

/** Binds the gate's socket. The caller closes the descriptor once init has it. */
export function openGate(sys: Sys, directory: ContainerDirectory): number {
  const fd = listenUnix(sys, directory.socketPath(GATE), `${directory.path}/${GATE}`, 1);
  call(sys, 'fchmodat', `${directory.path}/${GATE}`, directory.fd, GATE, 0o600);
  return fd;
}

function gateProgram(fds: AgentFds): Program {
  const program = new Program({ step: 'wait to be started' });
  // The old channel's number is free for the connection: a limit on descriptors cannot be in the way.
  program.call('close', [fds.channel], { ignore: 'all' });
  program.call('close', [fds.nextChannel]);
  program.call('accept4', [fds.gate, null, null, SOCK_CLOEXEC], { flags: RESTART | SET_CHANNEL });
  program.call('close', [fds.gate]);
  return program;
}

/** Sends init to the gate. Its answer comes to whoever opens it. */
export function waitAtGate(sys: Sys, init: InitProcess, fds: AgentFds): void {
  const { message } = encodeProgram(sys, gateProgram(fds));
  init.sendEncoded(message, 'go to the start gate');
}

/** An init process whose gate was opened. */
export interface Passed {
  /** The caller releases it. */
  readonly init: InitProcess;
  /** The number that the connection has in init. */
  readonly channelFd: number;
}

/** Opens the gate: connects to init and waits for its greeting. */
export function passGate(sys: Sys, directory: ContainerDirectory, pid: number): Passed {
  const channel = connect(sys, directory);
  const init = new InitProcess(sys, pid, channel);
  // The program's form does not depend on the numbers.
  const program = gateProgram(NO_FDS);
  const greeting = receiveReply(sys, channel, encodeProgram(sys, program).replyBytes, 'wait to be started');
  if (greeting !== undefined) {
    const accepted = program.operations.findIndex((operation) => operation.call === 'accept4');
    return { init, channelFd: decodeReply(greeting, program.operations.length, []).value(accepted) };
  }
  init.release();
  throw new RuntimeError('init-gone', 'cannot start a container that has stopped');
}

const NO_FDS = { channel: 0, nextChannel: 0, gate: 0 } as AgentFds;

function connect(sys: Sys, directory: ContainerDirectory): number {
  try {
    return connectUnix(sys, directory.socketPath(GATE), `${directory.path}/${GATE}`);
  } catch (error) {
    if (isErrno(error, ENOENT, ECONNREFUSED))
      throw new RuntimeError('init-gone', 'cannot start a container that has stopped', { cause: error });
    throw error;
  }
}
