/**
 * A logger that is started for a process (containerd's `binary://`): it reads standard output from descriptor 3 and standard error from 4, and
 * tells by descriptor 5 that it is ready. The process writes to the logger's pipes itself: nothing is copied, and the logger outlives this one.
 */
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { close, open } from '../../../runtime/src/linux/files.ts';
import { O_CLOEXEC, O_RDWR } from '../../../runtime/src/linux/open-flags.ts';
import { POLLIN } from '../../../runtime/src/linux/poll.ts';
import { pidfdKill, pidfdOpen, pollExit, SIGKILL, SIGTERM } from '../../../runtime/src/linux/processes.ts';
import { spawn } from '../../../runtime/src/linux/spawn.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { messageOf } from '../base/node-error.ts';
import type { Poller, Watch } from '../base/poller.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { within } from '../base/within.ts';

/** For a logger that neither gets ready nor ends. */
const READY_MS = 10_000;
/** How long it may take to write what is left; then SIGTERM, and then SIGKILL. */
const FINISH_MS = 10_000;
const TERM_MS = 2_000;

export interface LoggerOptions {
  readonly path: string;
  readonly args: readonly string[];
  readonly acknowledged: boolean;
  readonly containerId: string;
  readonly namespace: string;
}

export class Logger {
  readonly #sys: Sys;
  readonly pid: number;
  readonly #pidfd: number;
  /** Reading ends of the pipes, held so that a logger that dies early does not kill the container by SIGPIPE. */
  readonly #readers: readonly number[];
  /** Writing ends, for the process. */
  readonly stdout: number;
  readonly stderr: number;
  readonly ended: Promise<void>;

  /** Starts a logger, and waits until it is ready. */
  static async start(sys: Sys, poller: Poller, options: LoggerOptions): Promise<Logger> {
    const [out, outWriter] = pipe(sys);
    const [err, errWriter] = pipe(sys);
    const [ready, readyWriter] = pipe(sys);
    const nothing = open(sys, '/dev/null', { flags: O_RDWR });
    let pid: number;
    try {
      pid = spawn(sys, {
        path: options.path,
        argv: [options.path, ...options.args],
        environ: [`CONTAINER_ID=${options.containerId}`, `CONTAINER_NAMESPACE=${options.namespace}`],
        fds: [
          [nothing, 0],
          [nothing, 1],
          [nothing, 2],
          [out, 3],
          [err, 4],
          [readyWriter, 5],
        ],
        closeOthers: true,
      });
    } catch (error) {
      for (const fd of [out, outWriter, err, errWriter, ready]) close(sys, fd);
      throw new StatusError(StatusCode.invalidArgument, `logger ${options.path} cannot be started: ${messageOf(error)}`, error);
    } finally {
      close(sys, readyWriter);
      close(sys, nothing);
    }
    const logger = new Logger(sys, poller, pid, { readers: [out, err], stdout: outWriter, stderr: errWriter });
    try {
      await untilReady(sys, poller, ready, options);
      return logger;
    } catch (error) {
      logger.handOver();
      pidfdKill(sys, logger.#pidfd, SIGKILL);
      await logger.finish();
      throw error;
    } finally {
      close(sys, ready);
    }
  }

  private constructor(
    sys: Sys,
    poller: Poller,
    pid: number,
    pipes: { readonly readers: readonly number[]; readonly stdout: number; readonly stderr: number },
  ) {
    this.#sys = sys;
    this.pid = pid;
    this.#pidfd = pidfdOpen(sys, pid);
    this.#readers = pipes.readers;
    this.stdout = pipes.stdout;
    this.stderr = pipes.stderr;
    this.ended = new Promise((resolve) => {
      const watch = poller.watch(this.#pidfd, POLLIN, () => {
        watch.close();
        pollExit(sys, this.#pidfd);
        resolve();
      });
    });
  }

  /** Closes the writing ends here, once the process has them: its end is then the logger's end of file. */
  handOver(): void {
    for (const fd of [this.stdout, this.stderr]) close(this.#sys, fd);
  }

  /** The process has ended: waits until the logger has written what is left and has ended, too. */
  async finish(): Promise<void> {
    // With a reader here, bytes that nobody reads any more would wait for ever: now they go with the logger.
    for (const fd of this.#readers) close(this.#sys, fd);
    if (!(await within(this.ended, FINISH_MS))) {
      pidfdKill(this.#sys, this.#pidfd, SIGTERM);
      if (!(await within(this.ended, TERM_MS))) {
        pidfdKill(this.#sys, this.#pidfd, SIGKILL);
        await this.ended;
      }
    }
    close(this.#sys, this.#pidfd);
  }
}

async function untilReady(sys: Sys, poller: Poller, fd: number, options: LoggerOptions): Promise<void> {
  const byte = new ArrayBuffer(1);
  let length = -1;
  let watch: Watch | undefined;
  const answered = new Promise<void>((resolve) => {
    watch = poller.watch(fd, POLLIN, () => {
      watch?.close();
      length = tryCall(sys, 'read', fd, byte, 1);
      resolve();
    });
  });
  const inTime = await within(answered, READY_MS);
  watch?.close();
  if (!inTime) throw new StatusError(StatusCode.deadlineExceeded, `logger ${options.path} did not get ready within ${READY_MS / 1000} s`);
  if (options.acknowledged && length !== 1) {
    throw new StatusError(StatusCode.unavailable, `logger ${options.path} ended before it was ready`);
  }
}

function pipe(sys: Sys): [number, number] {
  const pair = new ArrayBuffer(8);
  call(sys, 'pipe2', 'a pipe for a logger', pair, O_CLOEXEC);
  const view = new DataView(pair);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}
