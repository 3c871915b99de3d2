/** Descriptors sent through unix sockets by an agent (unix(7), "Ancillary messages"). */
import { CMSG_HEADER_BYTES, MSG_CMSG_CLOEXEC, MSG_NOSIGNAL, rightsControl } from '../linux/sockets.ts';
import { RESTART } from './agent/protocol.ts';
import { type Argument, type Data, data, type Output, type Program, type ResultOf } from './program.ts';

const MSGHDR_BYTES = 56;
const IOVEC_BYTES = 16;

/** `struct msghdr` (linux/socket.h) with one part. */
function header(part: Data | string, partBytes: number, control: Data | Output, controlBytes: number): Data {
  const vector: Data = { kind: 'data', bytes: new Uint8Array(IOVEC_BYTES), pointers: [[0, part]] };
  new DataView(vector.bytes.buffer).setUint32(8, partBytes, true);
  const message: Data = {
    kind: 'data',
    bytes: new Uint8Array(MSGHDR_BYTES),
    pointers: [
      [16, vector],
      [32, control],
    ],
    note: '{a message with descriptors}',
  };
  const view = new DataView(message.bytes.buffer);
  view.setUint32(24, 1, true);
  view.setUint32(40, controlBytes, true);
  return message;
}

/** Sends a descriptor of the agent along with a text of ASCII, which must not be empty. The agent keeps its own. */
export function sendDescriptor(program: Program, socket: Argument, fd: number, text: string, object: string): void {
  const control = rightsControl([fd]);
  program.call('sendmsg', [socket, header(text, text.length, data(control), control.byteLength), MSG_NOSIGNAL], { object });
}

export interface ReceivedDescriptors {
  /** Bytes received; 0 at the end of the stream. */
  readonly length: ResultOf;
  /** For `receivedNumbers`. */
  readonly control: Output;
}

/** Takes one byte and with it `count` descriptors, which become the agent's, close-on-exec. */
export function receiveDescriptors(program: Program, socket: Argument, count: number, object: string): ReceivedDescriptors {
  const control = program.output(rightsControl(new Array<number>(count).fill(0)).byteLength);
  const message = header(data(new Uint8Array(8)), 1, control, control.sizeBytes);
  return { length: program.call('recvmsg', [socket, message, MSG_CMSG_CLOEXEC], { flags: RESTART, object }), control };
}

/** The numbers that received descriptors have in the agent. */
export function receivedNumbers(control: ArrayBuffer): number[] {
  const view = new DataView(control);
  const end = Math.min(Number(view.getBigUint64(0, true)), control.byteLength);
  const fds: number[] = [];
  for (let offset = CMSG_HEADER_BYTES; offset + 4 <= end; offset += 4) fds.push(view.getInt32(offset, true));
  return fds;
}
