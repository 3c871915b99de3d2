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

const MSGHDR_BYTES = 56;
const IOVEC_BYTES = 16;
export const CMSG_HEADER_BYTES = 16;

/** A datagram socket bound to `path`. The caller closes it, and unlinks the path. */
export function bindDatagram(sys: Sys, path: string, object: string): number {
  const fd = call(sys, 'socket', object, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const address = unixAddress(sys, path);
  const result = tryCall(sys, 'bind', fd, address, address.byteLength);
  if (result === 0) return fd;
  tryCall(sys, 'close', fd);
  throw syscallError({ syscall: 'bind', errno: -result, object });
}

/** A datagram socket that sends to a path, or to the abstract name after an `@`. The caller closes it. */
export function connectDatagram(sys: Sys, name: string, object: string): number {
  const fd = call(sys, 'socket', object, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const abstract = name.startsWith('@');
  const address = unixAddress(sys, name);
  if (abstract) new Uint8Array(address)[2] = 0;
  // An abstract name is all of the address, without a terminating NUL.
  const result = tryCall(sys, 'connect', fd, address, address.byteLength - (abstract ? 1 : 0));
  if (result === 0) return fd;
  tryCall(sys, 'close', fd);
  throw syscallError({ syscall: 'connect', errno: -result, object: `${object} ${name}` });
}

/** `struct msghdr` with all that it points to in one buffer: header, one iovec, control, data. */
class Message {
  readonly buffer: ArrayBuffer;
  readonly view: DataView;
  readonly control: Uint8Array;
  readonly data: Uint8Array;

  constructor(sys: Sys, dataBytes: number, controlBytes: number) {
    const control = MSGHDR_BYTES + IOVEC_BYTES;
    const data = control + ((controlBytes + 7) & ~7);
    this.buffer = new ArrayBuffer(data + dataBytes);
    this.view = new DataView(this.buffer);
    this.control = new Uint8Array(this.buffer, control, controlBytes);
    this.data = new Uint8Array(this.buffer, data, dataBytes);
    const start = sys.address(this.buffer);
    this.view.setBigUint64(16, BigInt(start + MSGHDR_BYTES), true);
    this.view.setBigUint64(24, 1n, true);
    this.view.setBigUint64(32, BigInt(start + control), true);
    this.view.setBigUint64(40, BigInt(controlBytes), true);
    this.view.setBigUint64(MSGHDR_BYTES, BigInt(start + data), true);
    this.view.setBigUint64(MSGHDR_BYTES + 8, BigInt(dataBytes), true);
  }

  /** Bytes of control messages that the kernel left. */
  get controlLength(): number {
    return Number(this.view.getBigUint64(40, true));
  }
}

/** Bytes of a control message with one SCM_RIGHTS record of these descriptors. */
export function rightsControl(fds: readonly number[]): ArrayBuffer {
  const control = new ArrayBuffer(CMSG_HEADER_BYTES + ((fds.length * 4 + 7) & ~7));
  const view = new DataView(control);
  view.setBigUint64(0, BigInt(CMSG_HEADER_BYTES + fds.length * 4), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  for (const [index, fd] of fds.entries()) view.setInt32(CMSG_HEADER_BYTES + index * 4, fd, true);
  return control;
}

/** Sends data (at least one byte) with descriptors; the receiver gets duplicates, the caller keeps its own. */
export function sendWithFds(sys: Sys, socket: number, data: ArrayBuffer, fds: readonly number[], object: string): void {
  const rights = new Uint8Array(rightsControl(fds));
  const message = new Message(sys, data.byteLength, rights.length);
  message.control.set(rights);
  message.data.set(new Uint8Array(data));
  call(sys, 'sendmsg', object, socket, message.buffer, MSG_NOSIGNAL);
}

export interface Received {
  readonly data: ArrayBuffer;
  /** Close-on-exec; the caller closes them. */
  readonly fds: readonly number[];
}

/** Receives at most `limitBytes` and at most 16 descriptors. Empty data means that the peer closed. */
export function receiveWithFds(sys: Sys, socket: number, limitBytes: number, object: string): Received {
  const message = new Message(sys, limitBytes, CMSG_HEADER_BYTES + 64);
  const length = call(sys, 'recvmsg', object, socket, message.buffer, MSG_CMSG_CLOEXEC);
  const view = new DataView(message.buffer, message.control.byteOffset, message.control.length);
  const fds: number[] = [];
  if (message.controlLength >= CMSG_HEADER_BYTES && view.getInt32(8, true) === SOL_SOCKET && view.getInt32(12, true) === SCM_RIGHTS) {
    const end = Number(view.getBigUint64(0, true));
    for (let offset = CMSG_HEADER_BYTES; offset + 4 <= end; offset += 4) fds.push(view.getInt32(offset, true));
  }
  return { data: message.data.slice(0, length).buffer, fds };
}

/**
 * Reads into `buffer` from `offset` to its end; returns the bytes read, 0 at end of file or when the peer reset the connection, -EAGAIN when a
 * socket with a deadline, or a nonblocking one, has nothing.
 */
export function readSocket(sys: Sys, fd: number, buffer: ArrayBuffer, offset: number, object: string): number {
  const result = tryCall(sys, 'read', fd, sys.address(buffer) + offset, buffer.byteLength - offset);
  if (result === -ECONNRESET || result === -EPIPE) return 0;
  if (result < 0 && result !== -EAGAIN) throw syscallError({ syscall: 'read', errno: -result, object });
  return result;
}
