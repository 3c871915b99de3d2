/** The stream between the runtime and an agent: whole messages out, whole replies in, with a deadline. */
import { RuntimeError } from '../base/errors.ts';
import { call } from '../linux/call.ts';
import { EPIPE, isErrno } from '../linux/errno.ts';
import { monotonicMs, POLLIN, poll } from '../linux/poll.ts';
import { MSG_NOSIGNAL, readSocket } from '../linux/sockets.ts';
import type { Sys } from '../sys/sys.ts';

/** An agent that is silent for so long hangs: in a mount on a dead network file system, or stopped by a signal. */
export const REPLY_DEADLINE_MS = 120_000;

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

/** Reads exactly `length` bytes; undefined when the channel ends before the first one. */
export function receiveReply(
  sys: Sys,
  channel: number,
  length: number,
  doing: string,
  deadlineMs = REPLY_DEADLINE_MS,
): ArrayBuffer | undefined {
  const buffer = new ArrayBuffer(length);
  let received = 0;
  const until = monotonicMs(sys) + deadlineMs;
  while (received < length) {
    const left = until - monotonicMs(sys);
    if (left <= 0) throw new RuntimeError('agent-hangs', `the init process did not answer in ${deadlineMs / 1000} s while ${doing}`);
    const [events] = poll(sys, [{ fd: channel, events: POLLIN }], left);
    if (events === 0) continue;
    const read = readSocket(sys, channel, buffer, received, 'the init channel');
    if (read === 0) {
      if (received === 0) return undefined;
      throw new AgentGone(doing);
    }
    if (read > 0) received += read;
  }
  return buffer;
}
