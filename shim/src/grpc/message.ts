/** Messages in a stream of bytes: a flag of compression, a length of four bytes, and the message (gRPC's PROTOCOL-HTTP2.md, Length-Prefixed-Message). */

import { StatusCode, StatusError } from '../base/status.ts';

const PREFIX_BYTES = 5;
const MAX_MESSAGE_BYTES = 16 << 20;

export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** @throws StatusError internal, resourceExhausted */
export async function* messagesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let length = lengthAt(rest, at); length !== undefined && at + PREFIX_BYTES + length <= rest.length; length = lengthAt(rest, at)) {
      yield rest.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + length);
      at += PREFIX_BYTES + length;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new StatusError(StatusCode.internal, 'the stream ended in the middle of a message');
}

/** Undefined where not all of the prefix is there. */
function lengthAt(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < PREFIX_BYTES) return undefined;
  if (bytes[at] !== 0) throw new StatusError(StatusCode.internal, 'a message is compressed, which was not asked for');
  const length = bytes.readUInt32BE(at + 1);
  if (length > MAX_MESSAGE_BYTES)
    throw new StatusError(StatusCode.resourceExhausted, `a message of ${length} bytes is more than ${MAX_MESSAGE_BYTES}`);
  return length;
}
