/**
 * sd_notify(3) through the border of the container: a socket in the container's directory is bind-mounted into it, and what the container's
 * process says there is passed on to the one who started the runtime, with the pid that is the main one outside.
 *
 * The directory is made and mounted at create; the socket is bound by who starts the container, and lives as long as that one listens.
 */
import type { Config } from '../../../../specs/runtime/config.ts';
import { RuntimeError } from '../../base/errors.ts';
import { call, tryCall } from '../../linux/call.ts';
import { close, mkdir, unlink } from '../../linux/files.ts';
import { O_CLOEXEC } from '../../linux/open-flags.ts';
import { POLLIN, type PollEntry, poll } from '../../linux/poll.ts';
import { bindDatagram, connectDatagram, MSG_NOSIGNAL, receiveWithFds, sendWithFds } from '../../linux/sockets.ts';
import { lstat } from '../../linux/stat.ts';
import type { ContainerDirectory } from '../../state/store.ts';
import type { Attendant } from '../caller/foreground.ts';
import type { Context } from '../context/context.ts';
import { tryPidfd } from '../kill.ts';

const DIRECTORY = 'notify';
const SOCKET = 'notify/notify.sock';
const DIRECTORY_IN_CONTAINER = '/run/notify';
const SOCKET_IN_CONTAINER = '/run/notify/notify.sock';

const DIRECTORY_MODE = 0o755;
/** Any user of the container may notify. The directory around it is open to root alone. */
const SOCKET_MODE = 0o777;

/** The configuration with the socket in it, if the caller wants to be notified. Makes the directory that is mounted. */
export function offerNotifySocket({ sys, caller }: Context, directory: ContainerDirectory, config: Config): Config {
  if (caller.notifySocket === undefined || config.process === undefined) return config;
  mkdir(sys, DIRECTORY, DIRECTORY_MODE, directory.fd);
  // Whatever the umask was.
  call(sys, 'fchmodat', `${directory.path}/${DIRECTORY}`, directory.fd, DIRECTORY, DIRECTORY_MODE);
  const mount = {
    destination: DIRECTORY_IN_CONTAINER,
    source: `${directory.path}/${DIRECTORY}`,
    options: ['bind', 'nosuid', 'noexec', 'nodev', 'ro'],
  };
  const env = [...(config.process.env ?? []), `NOTIFY_SOCKET=${SOCKET_IN_CONTAINER}`];
  return { ...config, mounts: [...(config.mounts ?? []), mount], process: { ...config.process, env } };
}

/**
 * Binds the socket before the container's process starts. Undefined when nobody wants to be notified, or the container was created without the
 * socket's directory. The caller closes the descriptor.
 */
export function listenForNotifications(context: Context, directory: ContainerDirectory): number | undefined {
  const { sys, caller } = context;
  if (caller.notifySocket === undefined) return undefined;
  if (lstat(sys, DIRECTORY, directory.fd) === undefined) {
    context.warn('NOTIFY_SOCKET was not set when the container was created: it cannot notify');
    return undefined;
  }
  // Of a start that was killed.
  unlink(sys, SOCKET, directory.fd);
  const socket = bindDatagram(sys, directory.socketPath(SOCKET), `${directory.path}/${SOCKET}`);
  call(sys, 'fchmodat', `${directory.path}/${SOCKET}`, directory.fd, SOCKET, SOCKET_MODE);
  return socket;
}

const LONGEST_MESSAGE_BYTES = 4096;
/** As long as systemd's own tools wait for the service manager to have read what was sent. */
const BARRIER_MS = 30_000;

export interface NotificationSettings {
  /** What is the main process outside: the container's, or the runtime, which stays with it. */
  readonly mainPid: number | 'self';
}

/** Passes notifications on. `close` closes the container's socket, too. */
export class Notifications implements Attendant {
  readonly #context: Context;
  readonly #socket: number;
  readonly #host: number;
  readonly #mainPid: number;
  #ready = false;
  #open = true;

  /** Takes over the socket. A host's socket that cannot be reached is a warning: the container runs, and nobody listens. */
  constructor(context: Context, socket: number, { mainPid }: NotificationSettings) {
    const { sys, caller } = context;
    this.#context = context;
    this.#socket = socket;
    this.#mainPid = mainPid === 'self' ? tryCall(sys, 'getpid') : mainPid;
    try {
      this.#host = connectDatagram(sys, caller.notifySocket ?? '', 'NOTIFY_SOCKET');
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      context.warn(`cannot pass on notifications: ${error.message}`);
      this.#host = -1;
    }
  }

  /** READY=1 was passed on, or there is nobody to pass it on to. */
  get settled(): boolean {
    return this.#ready || this.#host < 0;
  }

  get entry(): PollEntry | undefined {
    return this.#open && this.#host >= 0 ? { fd: this.#socket, events: POLLIN } : undefined;
  }

  /** Reads one message. */
  advance(): void {
    const { sys } = this.#context;
    const { data, fds } = receiveWithFds(sys, this.#socket, LONGEST_MESSAGE_BYTES, 'the notify socket');
    // Among them what the container's own sd_notify_barrier(3) waits for.
    for (const fd of fds) close(sys, fd);
    const lines = sys.decode(data).split('\n').filter(isForHost);
    if (lines.length === 0) return;
    // In one message, so that the manager never sees a service that is ready but has the wrong main process.
    if (lines.some((line) => line === 'READY=1')) lines.push(`MAINPID=${this.#mainPid}`);
    const message = sys.encode(`${lines.join('\n')}\n`);
    tryCall(sys, 'sendto', this.#host, message, message.byteLength, MSG_NOSIGNAL, null, 0);
    if (lines.includes('READY=1')) this.#ready = true;
  }

  /** Returns when the manager has read all that was sent, so that it can still look up who sent it. */
  barrier(): void {
    const { sys } = this.#context;
    if (this.#host < 0) return;
    const pipe = new ArrayBuffer(8);
    call(sys, 'pipe2', 'the barrier', pipe, O_CLOEXEC);
    const [reader, writer] = [new DataView(pipe).getInt32(0, true), new DataView(pipe).getInt32(4, true)];
    try {
      sendWithFds(sys, this.#host, sys.encode('BARRIER=1'), [writer], 'NOTIFY_SOCKET');
      close(sys, writer);
      // The end of the pipe comes as POLLHUP, when the manager has closed its copy.
      poll(sys, [{ fd: reader, events: POLLIN }], BARRIER_MS);
    } finally {
      close(sys, reader);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#context.sys, this.#socket);
    if (this.#host >= 0) close(this.#context.sys, this.#host);
  }
}

/** Pids in there are the container's, which mean others outside; a barrier concerns the socket it was sent to. */
function isForHost(line: string): boolean {
  return line !== '' && !/^(MAINPID|MAINPIDFD|MAINPIDFDID|BARRIER|FDSTORE|FDNAME|FDSTOREREMOVE)=/.test(line);
}

/** Listens until the container's process says that it is ready, or ends. Closes the socket. */
export function awaitReady(context: Context, socket: number, pid: number): void {
  const { sys } = context;
  const notifications = new Notifications(context, socket, { mainPid: pid });
  const pidfd = tryPidfd(sys, pid);
  try {
    while (!notifications.settled) {
      const entries = [
        { fd: socket, events: POLLIN },
        { fd: pidfd, events: POLLIN },
      ];
      const [message, ended] = poll(sys, entries, pidfd < 0 ? 0 : undefined);
      if (message !== 0) notifications.advance();
      // It may have said so just before its end: messages come first.
      else if (pidfd < 0 || ended !== 0) return;
    }
    notifications.barrier();
  } finally {
    if (pidfd >= 0) close(sys, pidfd);
    notifications.close();
  }
}
