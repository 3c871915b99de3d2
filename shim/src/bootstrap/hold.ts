/** Asks the warm process to stay: one call over ttrpc, made by hand, since it must take no time and needs no event loop. */
import { EAGAIN, ECONNREFUSED, ENOENT, ENOTDIR, isErrno } from '../../../runtime/src/linux/errno.ts';
import { close, writeAll } from '../../../runtime/src/linux/files.ts';
import { monotonicMs, POLLIN, poll } from '../../../runtime/src/linux/poll.ts';
import { connectUnix, readSocket } from '../../../runtime/src/linux/sockets.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { CONTROL_SERVICE, HOLD_METHOD, TTRPC_ADDRESS_KEY } from '../base/control-names.ts';
import { bufferOf, bytesField, bytesOf, concat, numberOf, readFields } from '../base/wire.ts';

const HEADER_BYTES = 10;
const MOST_BYTES = 64 << 10;
const REQUEST = 1;
const RESPONSE = 2;

export interface HoldRequest {
  /** The container to come. */
  readonly id: string;
  /** Where containerd takes events now. */
  readonly ttrpcAddress: string;
}

/**
 * `absent`: nobody listens. Any other end than an answer is an Error: somebody listens who does not answer, and nobody else must take the place.
 * @param timeoutMs for the whole call
 */
export function hold(sys: Sys, socket: string, request: HoldRequest, timeoutMs: number): 'held' | 'absent' {
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
    writeAll(sys, fd, bufferOf(encodeRequest(sys, request)), socket);
    checkResponse(sys, readFrame(sys, fd, socket, timeoutMs));
    return 'held';
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

/** The payload of the first frame that comes. */
function readFrame(sys: Sys, fd: number, socket: string, timeoutMs: number): Uint8Array {
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
      throw new Error(`the shim at ${socket} closed the connection without an answer`);
    }
    filled += count === -EAGAIN ? 0 : count;
  }
}

function checkResponse(sys: Sys, payload: Uint8Array): void {
  const status = bytesOf(readFields(payload), 1);
  const fields = status === undefined ? [] : readFields(status);
  if (numberOf(fields, 1) !== 0) {
    const message = bytesOf(fields, 2) ?? new Uint8Array();
    throw new Error(`the shim refused: ${sys.decode(bufferOf(message))}`);
  }
}
