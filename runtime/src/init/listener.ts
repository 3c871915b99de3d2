/** Executing a program that hands a descriptor over on its way, waits until that is taken care of, and only then executes. */
import { call } from '../linux/call.ts';
import { close } from '../linux/files.ts';
import { MSG_NOSIGNAL, receiveWithFds } from '../linux/sockets.ts';
import type { Sys } from '../sys/sys.ts';
import { AgentGone, receiveReply, sendMessage } from './channel.ts';
import { decodeReply, encodeProgram } from './encode.ts';
import { checkResults, type InitProcess } from './init-process.ts';
import type { Program } from './program.ts';
import type { SavedProgram } from './saved-program.ts';

/** What comes with the descriptor: one byte. */
export const LISTENER_MARK = 'L';
const ANSWER = 'g';
const DOING = 'hand the seccomp listener over';

/**
 * Has a program run that sends the descriptor and goes on without waiting.
 * @param take as in `executeHandingOver`
 */
export function runHandingOver(sys: Sys, init: InitProcess, program: Program, take: (fd: number) => void): void {
  const sent = { ...encodeProgram(sys, program), operations: program.operations };
  const reply = exchange(sys, init, sent, take);
  if (reply === undefined) throw new AgentGone(DOING);
  checkResults(sent.operations, decodeReply(reply, sent.operations.length, []));
}

/**
 * Returns when the new program runs. If the descriptor cannot be taken care of, the program does not run, and the process waits to be killed.
 *
 * @param take is given the descriptor, which is closed afterwards
 * @throws SyscallError for the operation that failed; AgentGone; what `take` throws
 */
export function executeHandingOver(sys: Sys, init: InitProcess, saved: SavedProgram, take: (fd: number) => void): void {
  const reply = exchange(sys, init, saved, (fd) => {
    take(fd);
    call(sys, 'sendto', 'the init channel', init.channel, sys.encode(ANSWER), ANSWER.length, MSG_NOSIGNAL, null, 0);
  });
  if (reply !== undefined) checkResults(saved.operations, decodeReply(reply, saved.operations.length, []));
}

function exchange(sys: Sys, init: InitProcess, sent: SavedProgram, take: (fd: number) => void): ArrayBuffer | undefined {
  const { channel } = init;
  sendMessage(sys, channel, sent.message, DOING);
  const { data, fds } = receiveWithFds(sys, channel, LISTENER_MARK.length, 'the init channel');
  try {
    const [fd] = fds;
    if (fd === undefined) throw failure(sys, init, sent, data);
    take(fd);
  } finally {
    for (const fd of fds) close(sys, fd);
  }
  return receiveReply(sys, channel, sent.replyBytes, DOING);
}

/** Without a descriptor it is the beginning of a reply, which tells of a failure. */
function failure(sys: Sys, init: InitProcess, { operations, replyBytes }: SavedProgram, beginning: ArrayBuffer): unknown {
  if (beginning.byteLength === 0) return new AgentGone(DOING);
  const rest = receiveReply(sys, init.channel, replyBytes - beginning.byteLength, DOING);
  if (rest === undefined) return new AgentGone(DOING);
  const reply = new Uint8Array(replyBytes);
  reply.set(new Uint8Array(beginning));
  reply.set(new Uint8Array(rest), beginning.byteLength);
  try {
    checkResults(operations, decodeReply(reply.buffer, operations.length, []));
  } catch (error) {
    return error;
  }
  return new AgentGone(DOING);
}
