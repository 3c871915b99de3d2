/** `--pidfd-socket`: the caller gets a descriptor of the init process, which a reused pid cannot make wrong. */

import { close } from '../linux/files.ts';
import { withPidfd } from '../linux/processes.ts';
import { sendWithFds } from '../linux/sockets.ts';
import type { Context } from '../operations/context.ts';
import { deleteContainer } from '../operations/delete.ts';
import type { ContainerRecord } from '../state/record.ts';

/** Sends the descriptor and closes the socket. A container whose pidfd cannot be sent is taken back. */
export function sendInitPidfd(context: Context, record: ContainerRecord, socket: number): void {
  const { sys } = context;
  try {
    withPidfd(sys, record.pid, (pidfd) => sendWithFds(sys, socket, sys.encode('pidfd'), [pidfd], '--pidfd-socket'));
  } catch (error) {
    deleteContainer(context, { id: record.id, force: true });
    throw error;
  } finally {
    close(sys, socket);
  }
}
