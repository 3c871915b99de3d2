/**
 * HTTP/1.1 in the clear to a registry on this machine, by system calls: for the engine that has no HTTP client. What is out of the ordinary (another
 * protocol, an answer in chunks, a connection that is closed) is an error: Node is asked then, whose client knows what to do.
 *
 * Exchanges are generators that yield what they wait for, so that several can go on at once: see `runAll`.
 */

import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EAGAIN, syscallError } from '../../../runtime/src/linux/errno.ts';
import { close } from '../../../runtime/src/linux/files.ts';
import { POLLIN, POLLOUT, type PollEntry, poll } from '../../../runtime/src/linux/poll.ts';
import { AF_INET, MSG_NOSIGNAL, readSocket, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from '../../../runtime/src/linux/sockets.ts';
import type { Address, Sys } from '../../../runtime/src/sys/sys.ts';

export type Waiting<T> = Generator<PollEntry, T, undefined>;

export interface LoopbackRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly path: string;
  readonly contentType?: string;
  readonly body?: LoopbackBody;
}

export interface LoopbackBody {
  readonly length: number;
  /** The next bytes, good until it is called again. Throws to have the request cut. */
  next(): { readonly start: Address; readonly length: number };
}

export interface LoopbackAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
}

const STALL_MS = 60_000;
/** More of an answer's head than any registry sends. */
const ANSWER_BYTES = 64 * 1024;
const MSG_MORE = 0x8000;
const F_SETFL = 4;
const AF_INET6 = 10;

/** Where a host on loopback may listen, in the order to try: `127.0.0.1:5000`, `localhost:5000`. None for any other host. */
export function loopbackAddresses(host: string): ArrayBuffer[] {
  const [, name = '', portText = '80'] = /^([^:]*)(?::(\d{1,5}))?$/.exec(host) ?? [];
  const port = Number(portText);
  if (port === 0 || port > 65_535) return [];
  if (name === 'localhost') return [addressOfSix(port), addressOfFour([127, 0, 0, 1], port)];
  const bytes = name.split('.').map(Number);
  const isFour = /^127(?:\.\d{1,3}){3}$/.test(name) && bytes.every((byte) => byte < 256);
  return isFour ? [addressOfFour(bytes, port)] : [];
}

/** `struct sockaddr_in` (ip(7)). */
function addressOfFour(bytes: readonly number[], port: number): ArrayBuffer {
  const address = new ArrayBuffer(16);
  const view = new DataView(address);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  new Uint8Array(address).set(bytes, 4);
  return address;
}

/** `struct sockaddr_in6` (ipv6(7)) of ::1. */
function addressOfSix(port: number): ArrayBuffer {
  const address = new ArrayBuffer(28);
  const view = new DataView(address);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  view.setUint8(23, 1);
  return address;
}

/** A connected socket. Throws SyscallError where nobody listens. */
function connectTo(sys: Sys, host: string): number {
  let errno = 0;
  for (const address of loopbackAddresses(host)) {
    const fd = call(sys, 'socket', host, new DataView(address).getUint16(0, true), SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Loopback either accepts or refuses: nothing is waited for.
    const result = tryCall(sys, 'connect', fd, address, address.byteLength);
    if (result === 0) {
      call(sys, 'fcntl', host, fd, F_SETFL, SOCK_NONBLOCK);
      return fd;
    }
    close(sys, fd);
    errno = -result;
  }
  throw syscallError({ syscall: 'connect', errno, object: host });
}

export class LoopbackConnection {
  readonly #sys: Sys;
  readonly #host: string;
  readonly #userAgent: string;
  readonly #fd: number;
  readonly #answer = new ArrayBuffer(ANSWER_BYTES);

  /** Connects. Throws SyscallError where nobody listens. */
  constructor(sys: Sys, host: string, userAgent: string) {
    this.#sys = sys;
    this.#host = host;
    this.#userAgent = userAgent;
    this.#fd = connectTo(sys, host);
  }

  close(): void {
    close(this.#sys, this.#fd);
  }

  *exchange(request: LoopbackRequest): Waiting<LoopbackAnswer> {
    const { method, path, body, contentType } = request;
    const lines = [
      `${method} ${path} HTTP/1.1`,
      `host: ${this.#host}`,
      `user-agent: ${this.#userAgent}`,
      ...(contentType === undefined ? [] : [`content-type: ${contentType}`]),
      ...(method === 'POST' || method === 'PUT' ? [`content-length: ${body?.length ?? 0}`] : []),
    ];
    const head = this.#sys.encode(`${lines.join('\r\n')}\r\n\r\n`);
    yield* this.#send(this.#sys.address(head), head.byteLength, body === undefined || body.length === 0 ? 0 : MSG_MORE);
    for (let left = body?.length ?? 0; body !== undefined && left > 0; ) {
      const { start, length } = body.next();
      yield* this.#send(start, length, 0);
      left -= length;
    }
    return yield* this.#receive(method);
  }

  *#send(start: Address, length: number, flags: number): Waiting<void> {
    for (let sent = 0; sent < length; ) {
      const result = tryCall(this.#sys, 'sendto', this.#fd, start + sent, length - sent, MSG_NOSIGNAL | flags, null, 0);
      if (result === -EAGAIN) yield { fd: this.#fd, events: POLLOUT };
      else if (result < 0) throw syscallError({ syscall: 'sendto', errno: -result, object: this.#host });
      else sent += result;
    }
  }

  *#receive(method: string): Waiting<LoopbackAnswer> {
    for (let length = 0; ; ) {
      const read = readSocket(this.#sys, this.#fd, this.#answer, length, this.#host);
      if (read === -EAGAIN) {
        yield { fd: this.#fd, events: POLLIN };
        continue;
      }
      if (read === 0) throw new Error(`${this.#host} has closed the connection`);
      length += read;
      const text = this.#sys.decode(this.#answer, 0, length);
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0) {
        const answer = parseHead(text.slice(0, end));
        if (method !== 'HEAD' && text.length - end - 4 < bodyLength(answer)) continue;
        return answer;
      }
      if (length === ANSWER_BYTES) throw new Error(`${this.#host} sends more of an answer than is read here`);
    }
  }
}

function parseHead(text: string): LoopbackAnswer {
  const [first = '', ...lines] = text.split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw new Error('this is no HTTP/1.1');
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  if (headers.get('connection')?.toLowerCase() === 'close') throw new Error('the connection is to be closed');
  return { status: Number(status), headers };
}

function bodyLength({ headers, status }: LoopbackAnswer): number {
  if (status === 204) return 0;
  const length = Number(headers.get('content-length') ?? Number.NaN);
  if (!Number.isSafeInteger(length) || headers.has('transfer-encoding')) throw new Error('the length of the answer is not known');
  return length;
}

/** Runs generators in turns, each when what it waits for has come. The first error is thrown. */
export function runAll(sys: Sys, tasks: readonly Waiting<void>[]): void {
  let waiting = tasks.map((task) => ({ task, entry: task.next() })).filter(({ entry }) => entry.done !== true);
  while (waiting.length > 0) {
    const events = poll(
      sys,
      waiting.map(({ entry }) => entry.value as PollEntry),
      STALL_MS,
    );
    if (events.every((one) => one === 0)) throw new Error('the registry does not answer');
    waiting = waiting
      .map((one, at) => (events[at] === 0 ? one : { ...one, entry: one.task.next() }))
      .filter(({ entry }) => entry.done !== true);
  }
}
