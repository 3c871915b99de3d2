/** An SSH agent's socket with another owner: what connects to it is connected to the agent. */

import { chmodSync, chownSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface RelayOptions {
  /** The agent's. */
  readonly agent: string;
  /** Where the socket is made. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Serves while the event loop runs, until it is closed. Throws the errors of listen(2), chown(2). */
export async function relayAgent({ agent, path, uid, gid, mode }: RelayOptions): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(agent);
    for (const socket of [near, far]) {
      sockets.add(socket);
      // One side that breaks ends both.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await listening(server, path);
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(path, done);
  });
}
