/** A `criu swrk` for one conversation, and what is told of it when it fails. */
import { RuntimeError } from '../../base/errors.ts';
import { CriuConnection, CriuGone } from '../../criu/connection.ts';
import { firstError } from '../../criu/log.ts';
import { CriuSilent, Patience } from '../../criu/patience.ts';
import { startAgent } from '../../init/agent-process.ts';
import { InitProcess } from '../../init/init-process.ts';
import { Program, stringArray } from '../../init/program.ts';
import { call, tryCall } from '../../linux/call.ts';
import { close, open, readAll, readFileIfExists } from '../../linux/files.ts';
import { MS_BIND, MS_REC, MS_SLAVE } from '../../linux/mount-flags.ts';
import { NAMESPACES } from '../../linux/namespaces.ts';
import { AT_FDCWD, O_RDWR } from '../../linux/open-flags.ts';
import { CLOSE_RANGE_ALL, CLOSE_RANGE_CLOEXEC } from '../../linux/prctl.ts';
import { processorTicks, SIGKILL, waitForExit } from '../../linux/processes.ts';
import { socketPair } from '../../linux/sockets.ts';
import { stat } from '../../linux/stat.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';
import { findCommand } from '../find-command.ts';

const SOCK_SEQPACKET = 5;
const MFD_CLOEXEC = 1;
const SOCKET_FD = 3;
/** The first of the descriptors that CRIU passes on to what it restores. */
const FIRST_INHERITED = 4;

export interface CriuStart {
  /** What is told if CRIU ends without an answer. */
  readonly failed: FailedWork;
  /** After how long a silence CRIU is killed. Undefined: never. */
  readonly silenceMs: number | undefined;
  /** The container's root, which CRIU gets as a mount point, in a mount namespace of its own: nothing stays on the host. */
  readonly root?: string | undefined;
  /** Descriptors of ours that CRIU passes on; they get the numbers from `inheritedFd(0)` on. */
  readonly inherit?: readonly number[];
  /** CRIU has our own streams: it takes the terminal from them. */
  readonly ownStreams?: boolean | undefined;
  /** Called with CRIU's pid before it does anything. */
  readonly prepare?: (pid: number) => void;
}

export function inheritedFd(index: number): number {
  return FIRST_INHERITED + index;
}

/** A running CRIU. */
export interface Criu {
  readonly pid: number;
  /** The host's root, as CRIU has it: what it is to mount on must be reached through that. */
  readonly hostRoot: string;
  readonly connection: CriuConnection;
  /** What it said before it had a log. */
  readonly errors: number;
}

/** Starts CRIU, and sees to its end when `body` is done. @throws RuntimeError 'criu-missing' */
export function withCriu<T>(context: Context, start: CriuStart, body: (criu: Criu) => T): T {
  const { sys } = context;
  const path = findCommand(sys, 'criu');
  if (path === undefined) {
    throw new RuntimeError('criu-missing', 'exec: "criu": executable file not found in $PATH', {
      hint: 'install CRIU (see criu.org); tsrun doctor names the command',
    });
  }
  const errors = call(sys, 'memfd_create', 'criu errors', 'tsrun-criu', MFD_CLOEXEC);
  const [socket, theirs] = socketPair(sys, SOCK_SEQPACKET);
  let pid: number | undefined;
  try {
    pid = startIn(context, start, { path, errors, socket: theirs });
    close(sys, theirs);
    const connection = new CriuConnection(sys, socket, patienceWith(sys, pid, start));
    return body({ pid, connection, errors, hostRoot: `/proc/${pid}/root` });
  } catch (error) {
    // It may hang, as with processes that do not stop.
    if (pid !== undefined) tryCall(sys, 'kill', pid, SIGKILL);
    else close(sys, theirs);
    if (error instanceof CriuSilent) throw silentError(error, start.failed);
    throw error instanceof CriuGone ? criuError(sys, { errors }, { ...start.failed, message: error.message }) : error;
  } finally {
    close(sys, socket);
    if (pid !== undefined) waitForExit(sys, pid);
    close(sys, errors);
  }
}

/** CRIU lives as long as its log grows or the processor has work for it. */
function patienceWith(sys: Sys, pid: number, { silenceMs, failed }: CriuStart): Patience | undefined {
  if (silenceMs === undefined) return undefined;
  return new Patience(sys, silenceMs, () => `${stat(sys, failed.logPath)?.sizeBytes} ${processorTicks(sys, pid)}`);
}

interface Parts {
  readonly path: string;
  readonly errors: number;
  readonly socket: number;
}

/** The agent becomes CRIU, and so CRIU is in the mount namespace that the agent has made. */
function startIn(context: Context, { root, inherit = [], ownStreams, prepare }: CriuStart, { path, errors, socket }: Parts): number {
  const { sys, caller } = context;
  const nowhere = open(sys, '/dev/null', { flags: O_RDWR });
  const [input, output, error] = ownStreams === true ? caller.stdio : [nowhere, errors, errors];
  const channelFd = inheritedFd(inherit.length);
  const agent = startAgent(sys, {
    image: context.agentImage(),
    fds: [[input, 0], [output, 1], [error, 2], [socket, SOCKET_FD], ...inherit.map((fd, index) => [fd, inheritedFd(index)] as const)],
    channelFd,
  });
  close(sys, nowhere);
  const process = new InitProcess(sys, agent.pid, agent.channel);
  try {
    prepare?.(agent.pid);
    process.execute(criuProgram(sys, path, root, channelFd));
    return agent.pid;
  } catch (failure) {
    process.release();
    waitForExit(sys, agent.pid);
    throw failure;
  } finally {
    process.release();
  }
}

function criuProgram(sys: Sys, path: string, root: string | undefined, channelFd: number): Program {
  const program = new Program({ step: 'start criu' });
  if (root !== undefined) {
    program.step('make the root a mount point', 'root.path');
    program.call('unshare', [NAMESPACES.mount.flag]);
    // Not private: where the container's mounts are slaves of the host's, CRIU takes that from the sources.
    program.call('mount', [null, '/', null, MS_REC | MS_SLAVE, null]);
    program.call('mount', [root, root, null, MS_BIND | MS_REC, null]);
  }
  program.step('start criu');
  program.call('close_range', [channelFd, CLOSE_RANGE_ALL, CLOSE_RANGE_CLOEXEC]);
  program.call('execve', [path, stringArray(['criu', 'swrk', String(SOCKET_FD)]), stringArray(sys.environ)]);
  return program;
}

export interface FailedWork {
  /** As runc names it: DUMP, RESTORE, … */
  readonly type: string;
  readonly errno?: number | undefined;
  readonly message?: string | undefined;
  /** Absolute path. */
  readonly logPath: string;
}

/** The error for a CRIU that answered that it failed, or ended without an answer: with the first error of its log. */
export function criuError(sys: Sys, { errors }: Pick<Criu, 'errors'>, { type, errno = 0, message, logPath }: FailedWork): RuntimeError {
  const log = readFileIfExists(sys, logPath);
  const told = [log, message, readErrors(sys, errors)].map((text) => firstError(text ?? '')).find((text) => text !== undefined);
  const reason = told ?? message ?? 'it gave no reason';
  return new RuntimeError('criu', `criu failed: type ${type} errno ${errno}: ${reason}`, {
    hint: log === undefined ? 'criu check says what this kernel lacks' : `log file: ${logPath}`,
  });
}

function silentError({ message }: CriuSilent, { type, logPath }: FailedWork): RuntimeError {
  return new RuntimeError('criu-timeout', `criu failed: type ${type}: ${message}`, {
    hint: `its log, ${logPath}, ends where it waited; --timeout SECONDS gives it more time`,
  });
}

function readErrors(sys: Sys, errors: number): string {
  const again = open(sys, `/proc/self/fd/${errors}`, { at: AT_FDCWD });
  try {
    return sys.decode(readAll(sys, again, "criu's messages"));
  } finally {
    close(sys, again);
  }
}
