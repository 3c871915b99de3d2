/** The socket at which a step finds its SSH agent: what connects to it is connected to an agent that runs, or answered here. */

import { chmodSync, chownSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { AgentConversation } from '../ssh/agent.ts';
import type { ProvidedAgent } from '../ssh/provided-agent.ts';

export interface AgentSocketOptions {
  readonly agent: ProvidedAgent;
  /** Where the socket is made. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Serves while the event loop runs, until it is closed. Throws the errors of listen(2), chown(2). */
export async function serveAgent({ agent, path, uid, gid, mode }: AgentSocketOptions): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    hold(near, sockets);
    if ('socket' in agent) relay(near, hold(connect(agent.socket), sockets));
    else converse(near, new AgentConversation(agent.identities));
  });
  await listening(server, path);
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

function hold(socket: Socket, sockets: Set<Socket>): Socket {
  sockets.add(socket);
  // What breaks is closed, and that is all there is to be done about it.
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  return socket;
}

/** One side that ends, ends both. */
function relay(near: Socket, far: Socket): void {
  for (const socket of [near, far]) {
    socket.on('close', () => {
      near.destroy();
      far.destroy();
    });
  }
  near.pipe(far);
  far.pipe(near);
}

function converse(near: Socket, conversation: AgentConversation): void {
  near.on('data', (piece: Buffer) => {
    try {
      near.write(conversation.receive(piece));
    } catch {
      near.destroy();
    }
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(path, done);
  });
}
