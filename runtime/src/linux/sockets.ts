/** Unix sockets: pairs, names in directories, and descriptors sent along (unix(7), cmsg(3)). */
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';
import { EAGAIN, ECONNRESET, EPIPE, syscallError } from './errno.ts';

export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;
export const SOL_SOCKET = 1;
export const SCM_RIGHTS = 1;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

/** sun_path with its terminating NUL. */
const SUN_PATH_BYTES = 108;

/** A connected pair; both ends close-on-exec, both the caller's. */
export function socketPair(sys: Sys, type: number = SOCK_STREAM): [number, number] {
  const pair = new ArrayBuffer(8);
  call(sys, 'socketpair', 'AF_UNIX', AF_UNIX, type | SOCK_CLOEXEC, 0, pair);
  const view = new DataView(pair);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

/**
 * `struct sockaddr_un` for a path. A path too long for it is refused; callers with deep directories name the socket through
 * `/proc/self/fd/N/name`, N being an open directory.
 */
export function unixAddress(sys: Sys, path: string): ArrayBuffer {
  const bytes = new Uint8Array(sys.encode(path));
  if (bytes.length >= SUN_PATH_BYTES) throw syscallError({ syscall: 'connect', errno: 36, object: path });
  const address = new Uint8Array(2 + bytes.length + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, 2);
  return address.buffer;
}

/** A socket listening at `path`, made with mode 0600 through the creator's umask of 0177 or a 0700 directory. The caller closes it. */
export function listenUnix(sys: Sys, path: string, object: string, backlog = 8): number {
  const fd = call(sys, 'socket', object, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const address = unixAddress(sys, path);
  try {
    call(sys, 'bind', object, fd, address, address.byteLength);
    call(sys, 'listen', object, fd, backlog);
    return fd;
  } catch (error) {
    tryCall(sys, 'close', fd);
    throw error;
  }
}

/** Connects to a unix socket. The caller closes the descriptor. */
export function connectUnix(sys: Sys, path: string, object: string = path): number {
  const fd = call(sys, 'socket', object, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const address = unixAddress(sys, path);
  const result = tryCall(sys, 'connect', fd, address, address.byteLength);
  if (result < 0) {
    tryCall(sys, 'close', fd);
    throw syscallError({ syscall: 'connect', errno: -result, object });
  }
  return fd;
}

/** `struct msghdr` and what it points to, kept together so that nothing is collected during the call. */
interface Message {
  readonly header: ArrayBuffer;
  readonly control: ArrayBuffer;
  readonly parts: readonly ArrayBuffer[];
}

const CMSG_HEADER_BYTES = 16;

function message(sys: Sys, data: ArrayBuffer, controlBytes: number): Message {
  const vector = new ArrayBuffer(16);
  const vectorView = new DataView(vector);
  vectorView.setBigUint64(0, BigInt(sys.address(data)), true);
  vectorView.setBigUint64(8, BigInt(data.byteLength), true);
  const control = new ArrayBuffer(controlBytes);
  const header = new ArrayBuffer(56);
  const view = new DataView(header);
  view.setBigUint64(16, BigInt(sys.address(vector)), true);
  view.setBigUint64(24, 1n, true);
  if (controlBytes > 0) {
    view.setBigUint64(32, BigInt(sys.address(control)), true);
    view.setBigUint64(40, BigInt(controlBytes), true);
  }
  return { header, control, parts: [vector, data] };
}

/** Bytes of a control message with one SCM_RIGHTS record of these descriptors. */
export function rightsControl(fds: readonly number[]): ArrayBuffer {
  const control = new ArrayBuffer(CMSG_HEADER_BYTES + ((fds.length * 4 + 7) & ~7));
  const view = new DataView(control);
  view.setBigUint64(0, BigInt(CMSG_HEADER_BYTES + fds.length * 4), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  fds.forEach((fd, index) => view.setInt32(CMSG_HEADER_BYTES + index * 4, fd, true));
  return control;
}

/** Sends data (at least one byte) with descriptors; the receiver gets duplicates, the caller keeps its own. */
export function sendWithFds(sys: Sys, socket: number, data: ArrayBuffer, fds: readonly number[], object: string): void {
  const rights = rightsControl(fds);
  const packet = message(sys, data, rights.byteLength);
  new Uint8Array(packet.control).set(new Uint8Array(rights));
  call(sys, 'sendmsg', object, socket, packet.header, MSG_NOSIGNAL);
}

export interface Received {
  readonly data: ArrayBuffer;
  /** Close-on-exec; the caller closes them. */
  readonly fds: readonly number[];
}

/** Receives at most `limitBytes` and at most 16 descriptors. Empty data means that the peer closed. */
export function receiveWithFds(sys: Sys, socket: number, limitBytes: number, object: string): Received {
  const data = new ArrayBuffer(limitBytes);
  const packet = message(sys, data, CMSG_HEADER_BYTES + 64);
  const length = call(sys, 'recvmsg', object, socket, packet.header, MSG_CMSG_CLOEXEC);
  const controlLength = Number(new DataView(packet.header).getBigUint64(40, true));
  const view = new DataView(packet.control);
  const fds: number[] = [];
  if (controlLength >= CMSG_HEADER_BYTES && view.getInt32(8, true) === SOL_SOCKET && view.getInt32(12, true) === SCM_RIGHTS) {
    const end = Number(view.getBigUint64(0, true));
    for (let offset = CMSG_HEADER_BYTES; offset + 4 <= end; offset += 4) fds.push(view.getInt32(offset, true));
  }
  return { data: data.slice(0, length), fds };
}

/** Reads up to the buffer's end; returns the bytes read, 0 at end of file or when the peer reset the connection. */
export function readSocket(sys: Sys, fd: number, buffer: ArrayBuffer, offset: number, length: number, object: string): number {
  const result = tryCall(sys, 'read', fd, sys.address(buffer) + offset, length);
  if (result === -ECONNRESET || result === -EPIPE) return 0;
  if (result < 0 && result !== -EAGAIN) throw syscallError({ syscall: 'read', errno: -result, object });
  return result;
}
