/** The stream between the runtime and an agent: whole messages out, whole replies in, with a deadline. */
import { RuntimeError } from '../base/errors.ts';
import { call } from '../linux/call.ts';
import { EPIPE, isErrno } from '../linux/errno.ts';
import { MSG_NOSIGNAL, readSocket, SOL_SOCKET } from '../linux/sockets.ts';
import type { Sys } from '../sys/sys.ts';

/** An agent that is silent for so long hangs. */
export const REPLY_DEADLINE_MS = 120_000;

const SO_RCVTIMEO = 20;
const HANGS = 'it may be stopped by a signal, or wait for a file system that does not answer: look at its wchan and stack in /proc';

/** The agent ended while an answer was due. */
export class AgentGone extends RuntimeError {
  constructor(doing: string) {
    super('agent-gone', `the init process died while ${doing}`, {
      hint: 'it was killed from outside (out of memory, or a signal): see the kernel log',
    });
    this.name = 'AgentGone';
  }
}

export function sendMessage(sys: Sys, channel: number, message: ArrayBuffer, doing: string): void {
  const start = sys.address(message);
  try {
    for (let sent = 0; sent < message.byteLength; ) {
      sent += call(sys, 'sendto', 'the init channel', channel, start + sent, message.byteLength - sent, MSG_NOSIGNAL, null, 0);
    }
  } catch (error) {
    if (isErrno(error, EPIPE)) throw new AgentGone(doing);
    throw error;
  }
}

/** From now on a read from the channel that gets nothing for so long fails: the kernel keeps the time, no call is spent on it. */
export function setDeadline(sys: Sys, channel: number, deadlineMs: number): void {
  const time = new ArrayBuffer(16);
  const view = new DataView(time);
  view.setBigInt64(0, BigInt(Math.floor(deadlineMs / 1000)), true);
  view.setBigInt64(8, BigInt((deadlineMs % 1000) * 1000), true);
  call(sys, 'setsockopt', 'the init channel', channel, SOL_SOCKET, SO_RCVTIMEO, time, time.byteLength);
}

/** Reads exactly `length` bytes; undefined when the channel ends before the first one. @throws RuntimeError 'agent-hangs' at the deadline */
export function receiveReply(sys: Sys, channel: number, length: number, doing: string): ArrayBuffer | undefined {
  const buffer = new ArrayBuffer(length);
  for (let received = 0; received < length; ) {
    const read = readSocket(sys, channel, buffer, received, 'the init channel');
    if (read < 0) throw new RuntimeError('agent-hangs', `the init process does not answer while ${doing}`, { hint: HANGS });
    if (read === 0 && received === 0) return undefined;
    if (read === 0) throw new AgentGone(doing);
    received += read;
  }
  return buffer;
}
