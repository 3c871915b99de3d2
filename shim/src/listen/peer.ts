/** Who is at the other end of a unix socket. */
import type { Socket } from 'node:net';
import { call } from '../../../runtime/src/linux/call.ts';
import { SOL_SOCKET } from '../../../runtime/src/linux/sockets.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';

const SO_PEERCRED = 17;
const UCRED_BYTES = 12;

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The credentials of the process that connected (unix(7), SO_PEERCRED). Throws when the socket has no descriptor any more. */
export function peerOf(sys: Sys, socket: Socket): Peer {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd !== 'number' || fd < 0) {
    throw new Error('the connection has gone before its peer could be asked for');
  }
  const credentials = new ArrayBuffer(UCRED_BYTES);
  const length = new ArrayBuffer(4);
  new DataView(length).setUint32(0, UCRED_BYTES, true);
  call(sys, 'getsockopt', 'SO_PEERCRED', fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
  const view = new DataView(credentials);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) };
}
