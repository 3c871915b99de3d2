/** Executing a program that hands a descriptor over on its way, waits until that is taken care of, and only then executes. */
import { call } from '../linux/call.ts';
import { close } from '../linux/files.ts';
import { MSG_NOSIGNAL, receiveWithFds } from '../linux/sockets.ts';
import type { Sys } from '../sys/sys.ts';
import { AgentGone, receiveReply, sendMessage } from './channel.ts';
import { decodeReply } from './encode.ts';
import { checkResults, type InitProcess } from './init-process.ts';
import type { SavedProgram } from './saved-program.ts';

/** What comes with the descriptor: one byte. */
export const LISTENER_MARK = 'L';
const ANSWER = 'g';

/**
 * Returns when the new program runs. If the descriptor cannot be taken care of, the program does not run, and the process waits to be killed.
 *
 * @param take is given the descriptor, which is closed afterwards
 * @throws SyscallError for the operation that failed; AgentGone; what `take` throws
 */
export function executeHandingOver(sys: Sys, init: InitProcess, saved: SavedProgram, take: (fd: number) => void): void {
  const { channel } = init;
  const doing = 'hand the seccomp listener over';
  sendMessage(sys, channel, saved.message, doing);
  const { data, fds } = receiveWithFds(sys, channel, LISTENER_MARK.length, 'the init channel');
  try {
    const [fd] = fds;
    if (fd === undefined) throw failure(sys, init, saved, data, doing);
    take(fd);
  } finally {
    for (const fd of fds) close(sys, fd);
  }
  call(sys, 'sendto', 'the init channel', channel, sys.encode(ANSWER), ANSWER.length, MSG_NOSIGNAL, null, 0);
  const reply = receiveReply(sys, channel, saved.replyBytes, doing);
  if (reply !== undefined) checkResults(saved.operations, decodeReply(reply, saved.operations.length, []));
}

/** Without a descriptor it is the beginning of a reply, which tells of a failure. */
function failure(sys: Sys, init: InitProcess, { operations, replyBytes }: SavedProgram, beginning: ArrayBuffer, doing: string): unknown {
  if (beginning.byteLength === 0) return new AgentGone(doing);
  const rest = receiveReply(sys, init.channel, replyBytes - beginning.byteLength, doing);
  if (rest === undefined) return new AgentGone(doing);
  const reply = new Uint8Array(replyBytes);
  reply.set(new Uint8Array(beginning));
  reply.set(new Uint8Array(rest), beginning.byteLength);
  try {
    checkResults(operations, decodeReply(reply.buffer, operations.length, []));
  } catch (error) {
    return error;
  }
  return new AgentGone(doing);
}
