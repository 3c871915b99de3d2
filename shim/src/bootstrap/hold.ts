/** Asks the warm process to stay: one call over ttrpc, made by hand, since it must take no time and needs no event loop. */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { EAGAIN, ECONNREFUSED, ECONNRESET, ENOENT, ENOTDIR, EPIPE, isErrno, syscallError } from '../../../runtime/src/linux/errno.ts';
import { close } from '../../../runtime/src/linux/files.ts';
import { monotonicMs, POLLIN, poll } from '../../../runtime/src/linux/poll.ts';
import { connectUnix, MSG_NOSIGNAL, readSocket } from '../../../runtime/src/linux/sockets.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { CONTROL_SERVICE, HOLD_METHOD, TTRPC_ADDRESS_KEY } from '../base/control-names.ts';
import { bufferOf, bytesField, bytesOf, concat, numberOf, readFields } from '../base/wire.ts';

const HEADER_BYTES = 10;
const MOST_BYTES = 64 << 10;
const REQUEST = 1;
const RESPONSE = 2;
/** gRPC's status of a process that is ending. */
const UNAVAILABLE = 14;

export interface HoldRequest {
  /** The container to come. */
  readonly id: string;
  /** Where containerd takes events now. */
  readonly ttrpcAddress: string;
}

/** `absent`: nobody listens. `ending`: who listened has just ended, or is about to; soon nobody will listen, or somebody else. */
export type Held = 'held' | 'absent' | 'ending';

/**
 * Somebody who listens and does not answer, or refuses, is an Error: nobody else must take the place.
 * @param timeoutMs for the whole call
 */
export function hold(sys: Sys, socket: string, request: HoldRequest, timeoutMs: number): Held {
  let fd: number;
  try {
    fd = connectUnix(sys, socket);
  } catch (error) {
    if (isErrno(error, ENOENT, ECONNREFUSED, ENOTDIR)) {
      return 'absent';
    }
    throw error;
  }
  try {
    if (!send(sys, fd, bufferOf(encodeRequest(sys, request)), socket)) return 'ending';
    const response = readFrame(sys, fd, socket, timeoutMs);
    return response === undefined ? 'ending' : answerIn(sys, response);
  } finally {
    close(sys, fd);
  }
}

function encodeRequest(sys: Sys, { id, ttrpcAddress }: HoldRequest): Uint8Array {
  const text = (number: number, value: string): Uint8Array => bytesField(number, sys.encode(value));
  const metadata = bytesField(5, concat([text(1, TTRPC_ADDRESS_KEY), text(2, ttrpcAddress)]));
  const payload = concat([text(1, CONTROL_SERVICE), text(2, HOLD_METHOD), bytesField(3, text(1, id)), metadata]);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint32(0, payload.length);
  header.setUint32(4, 1);
  header.setUint8(8, REQUEST);
  return concat([new Uint8Array(header.buffer), payload]);
}

/** Returns false when the other side has closed: which would be a SIGPIPE for a write(2). */
function send(sys: Sys, fd: number, data: ArrayBuffer, socket: string): boolean {
  const result = tryCall(sys, 'sendto', fd, data, data.byteLength, MSG_NOSIGNAL, null, 0);
  if (result < 0 && result !== -EPIPE && result !== -ECONNRESET) throw syscallError({ syscall: 'sendto', errno: -result, object: socket });
  // As small as it is, it goes as a whole or not at all.
  return result === data.byteLength;
}

/** The payload of the first frame that comes; undefined when the connection is closed instead. */
function readFrame(sys: Sys, fd: number, socket: string, timeoutMs: number): Uint8Array | undefined {
  const deadline = monotonicMs(sys) + timeoutMs;
  const buffer = new ArrayBuffer(MOST_BYTES);
  const view = new DataView(buffer);
  let filled = 0;
  for (;;) {
    const length = filled < HEADER_BYTES ? 0 : view.getUint32(0);
    if (filled >= HEADER_BYTES && (length > MOST_BYTES - HEADER_BYTES || view.getUint8(8) !== RESPONSE)) {
      throw new Error(`who listens at ${socket} does not speak ttrpc`);
    }
    if (filled >= HEADER_BYTES && filled >= HEADER_BYTES + length) {
      return new Uint8Array(buffer, HEADER_BYTES, length);
    }
    const left = deadline - monotonicMs(sys);
    if (left <= 0) {
      throw new Error(`the shim at ${socket} does not answer within ${Math.round(timeoutMs / 1000)} s`);
    }
    if (poll(sys, [{ fd, events: POLLIN }], left)[0] === 0) {
      continue;
    }
    const count = readSocket(sys, fd, buffer, filled, socket);
    if (count === 0) {
      return undefined;
    }
    filled += count === -EAGAIN ? 0 : count;
  }
}

function answerIn(sys: Sys, payload: Uint8Array): Held {
  const status = bytesOf(readFields(payload), 1);
  const fields = status === undefined ? [] : readFields(status);
  const code = numberOf(fields, 1);
  if (code === UNAVAILABLE) return 'ending';
  if (code !== 0) {
    const message = bytesOf(fields, 2) ?? new Uint8Array();
    throw new Error(`the shim refused: ${sys.decode(bufferOf(message))}`);
  }
  return 'held';
}
