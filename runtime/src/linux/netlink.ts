/** Netlink messages and their exchange (netlink(7), rtnetlink(7)): as much as network devices and their addresses need. */
import type { Sys } from '../sys/sys.ts';
import { call } from './call.ts';
import { ENODATA, syscallError } from './errno.ts';
import { SOCK_CLOEXEC } from './sockets.ts';

export const AF_NETLINK = 16;
export const NETLINK_ROUTE = 0;
export const SOCK_RAW = 3;

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** The kernel fills no message of a dump beyond this, whatever the reader offers. */
const RECEIVE_BYTES = 32_768;
/** Bits of an attribute's type that say how it is laid out. */
const TYPE_MASK = 0x3fff;

/** [type, value] */
export type Attribute = readonly [number, ArrayBuffer];

export interface Message {
  readonly type: number;
  /** What follows the header: a fixed structure, then attributes. */
  readonly payload: ArrayBuffer;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

export function uint32Value(value: number): ArrayBuffer {
  return new Uint32Array([value]).buffer;
}

/** The text of an attribute, which ends at its first NUL. */
export function textOf(sys: Sys, value: ArrayBuffer): string {
  const end = new Uint8Array(value).indexOf(0);
  return sys.decode(value, 0, end < 0 ? value.byteLength : end);
}

export function nulTerminated(sys: Sys, text: string): ArrayBuffer {
  const bytes = new Uint8Array(sys.encode(text));
  const value = new Uint8Array(bytes.length + 1);
  value.set(bytes);
  return value.buffer;
}

/** A structure and attributes behind each other, each at a multiple of four bytes. */
export function encodePayload(structure: ArrayBuffer, attributes: readonly Attribute[]): ArrayBuffer {
  const sizes = attributes.map(([, value]) => aligned(ATTRIBUTE_HEADER_BYTES + value.byteLength));
  const payload = new Uint8Array(sizes.reduce((sum, size) => sum + size, aligned(structure.byteLength)));
  const view = new DataView(payload.buffer);
  payload.set(new Uint8Array(structure));
  let offset = aligned(structure.byteLength);
  attributes.forEach(([type, value], index) => {
    view.setUint16(offset, ATTRIBUTE_HEADER_BYTES + value.byteLength, true);
    view.setUint16(offset + 2, type, true);
    payload.set(new Uint8Array(value), offset + ATTRIBUTE_HEADER_BYTES);
    offset += sizes[index] ?? 0;
  });
  return payload.buffer;
}

/** The attributes behind a structure of so many bytes. */
export function decodeAttributes(payload: ArrayBuffer, structureBytes: number): Map<number, ArrayBuffer> {
  const view = new DataView(payload);
  const attributes = new Map<number, ArrayBuffer>();
  for (let offset = aligned(structureBytes); offset + ATTRIBUTE_HEADER_BYTES <= payload.byteLength; ) {
    const length = view.getUint16(offset, true);
    if (length < ATTRIBUTE_HEADER_BYTES) break;
    attributes.set(view.getUint16(offset + 2, true) & TYPE_MASK, payload.slice(offset + ATTRIBUTE_HEADER_BYTES, offset + length));
    offset += aligned(length);
  }
  return attributes;
}

/** A socket in this process's network namespace, close-on-exec; the caller closes it. */
export function openNetlink(sys: Sys): number {
  return call(sys, 'socket', 'NETLINK_ROUTE', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

export interface Request extends Message {
  /** NLM_F_… beside REQUEST and ACK. */
  readonly flags?: number;
}

/**
 * Makes a request on a socket that nobody else uses, and returns what the kernel answers until it is done.
 * @param object what the request is about, for its error
 * @throws SyscallError with the errno that the kernel answers
 */
export function exchange(sys: Sys, socket: number, request: Request, object: string): Message[] {
  const dump = ((request.flags ?? 0) & NLM_F_DUMP) === NLM_F_DUMP;
  const message = new Uint8Array(HEADER_BYTES + request.payload.byteLength);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, request.type, true);
  view.setUint16(6, NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK) | (request.flags ?? 0), true);
  message.set(new Uint8Array(request.payload), HEADER_BYTES);
  call(sys, 'sendto', object, socket, message.buffer, message.length, 0, null, 0);
  const answers: Message[] = [];
  while (!receive(sys, socket, answers, object)) {
    // A dump comes in several parts.
  }
  return answers;
}

/** Returns whether the answer is complete. */
function receive(sys: Sys, socket: number, answers: Message[], object: string): boolean {
  const buffer = new ArrayBuffer(RECEIVE_BYTES);
  const view = new DataView(buffer);
  const received = call(sys, 'recvfrom', object, socket, buffer, buffer.byteLength, 0, null, null);
  if (received === 0) throw syscallError({ syscall: 'netlink', errno: ENODATA, object });
  for (let offset = 0; offset + HEADER_BYTES <= received; ) {
    const length = view.getUint32(offset, true);
    const type = view.getUint16(offset + 4, true);
    if (type === NLMSG_DONE) return true;
    if (type === NLMSG_ERROR) {
      const errno = -view.getInt32(offset + HEADER_BYTES, true);
      if (errno === 0) return true;
      throw syscallError({ syscall: 'netlink', errno, object });
    }
    answers.push({ type, payload: buffer.slice(offset + HEADER_BYTES, offset + length) });
    offset += aligned(Math.max(length, HEADER_BYTES));
  }
  return false;
}
