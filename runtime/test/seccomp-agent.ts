/** A small seccomp agent: takes listeners from a socket, and decides calls (seccomp_unotify(2)). */
import { call } from '../src/linux/call.ts';
import { close, unlink } from '../src/linux/files.ts';
import { POLLIN, poll } from '../src/linux/poll.ts';
import { listenUnix, receiveWithFds, SOCK_CLOEXEC } from '../src/linux/sockets.ts';
import type { Sys } from '../src/sys/sys.ts';

const TIMEOUT_MS = 15_000;
const NOTIF_RECV = 0xc0502100;
const NOTIF_SEND = 0xc0182101;
const CONTINUE = 1;

export interface Notification {
  readonly id: bigint;
  readonly pid: number;
  readonly number: number;
}

export interface Delivery {
  readonly text: string;
  readonly listener: number;
  /** Nothing came after it, and the connection was ended. */
  readonly ended: boolean;
}

export class SeccompAgent {
  readonly #sys: Sys;
  readonly path: string;
  readonly #socket: number;
  readonly #fds: number[] = [];

  constructor(sys: Sys, path: string) {
    this.#sys = sys;
    this.path = path;
    this.#socket = listenUnix(sys, path, path);
  }

  #await(fd: number, what: string): void {
    if (poll(this.#sys, [{ fd, events: POLLIN }], TIMEOUT_MS)[0] === 0) throw new Error(`in vain: ${what}`);
  }

  /** The next listener that is handed over; closed at the end. */
  accept(): Delivery {
    this.#await(this.#socket, 'a connection');
    const connection = call(this.#sys, 'accept4', this.path, this.#socket, null, null, SOCK_CLOEXEC);
    this.#fds.push(connection);
    const { data, fds } = receiveWithFds(this.#sys, connection, 65_536, this.path);
    this.#fds.push(...fds);
    this.#await(connection, 'the end of the connection');
    const rest = receiveWithFds(this.#sys, connection, 1, this.path);
    return { text: this.#sys.decode(data), listener: fds[0] ?? -1, ended: rest.data.byteLength === 0 };
  }

  next(listener: number): Notification {
    this.#await(listener, 'a notification');
    const request = new ArrayBuffer(80);
    call(this.#sys, 'ioctl', 'the listener', listener, NOTIF_RECV, request);
    const view = new DataView(request);
    return { id: view.getBigUint64(0, true), pid: view.getUint32(8, true), number: view.getInt32(16, true) };
  }

  #respond(listener: number, id: bigint, errno: number, flags: number): void {
    const response = new ArrayBuffer(24);
    const view = new DataView(response);
    view.setBigUint64(0, id, true);
    view.setInt32(16, -errno, true);
    view.setUint32(20, flags, true);
    call(this.#sys, 'ioctl', 'the listener', listener, NOTIF_SEND, response);
  }

  deny(listener: number, { id }: Notification, errno: number): void {
    this.#respond(listener, id, errno, 0);
  }

  letPass(listener: number, { id }: Notification): void {
    this.#respond(listener, id, 0, CONTINUE);
  }

  /** Whether somebody has connected who was not accepted. */
  get isWanted(): boolean {
    return poll(this.#sys, [{ fd: this.#socket, events: POLLIN }], 0)[0] !== 0;
  }

  dispose(): void {
    for (const fd of [this.#socket, ...this.#fds]) close(this.#sys, fd);
    unlink(this.#sys, this.path);
  }
}
