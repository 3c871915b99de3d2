/**
 * The moment in which a process becomes the container's program. Without a filter the channel tells: its end is success, an answer is failure.
 *
 * A filter may forbid the agent to answer, or kill it at execve(2): then the channel ends as well. So a process that is filtered bears a name that no
 * program can have. When the channel has ended, either the process has another name, which execve gave it, or it is dying with this one.
 * If somebody has reaped it before it was looked at, that one knows its end, and here it counts as executed.
 */
import type { Status } from '../../../../specs/runtime/state.ts';
import { RuntimeError } from '../../base/errors.ts';
import { encodeProgram } from '../../init/encode.ts';
import { type InitProcess, operationError } from '../../init/init-process.ts';
import { executeHandingOver } from '../../init/listener.ts';
import type { Operation, Program } from '../../init/program.ts';
import type { SavedProgram } from '../../init/saved-program.ts';
import { ESRCH, isErrno } from '../../linux/errno.ts';
import { readFileIfExists } from '../../linux/files.ts';
import { sleepMs } from '../../linux/poll.ts';
import { signalName } from '../../linux/signals.ts';
import { WAITING_NAME } from '../../process/load-filter.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';
import { specState } from '../context/container-state.ts';
import { withSeccompAgent } from './seccomp.ts';

export interface Execution {
  readonly init: InitProcess;
  /** Ends in execve; made by `executeProgram`. */
  readonly program: Program | SavedProgram;
  readonly record: ContainerRecord;
  /** Of the container, for its seccomp agent. */
  readonly status: Status;
  /** The process has the filter already, and its listener was handed over. */
  readonly filtered?: boolean | undefined;
}

/**
 * Returns when the container's program runs.
 * @throws SyscallError for the operation that failed; RuntimeError 'seccomp-agent', 'filtered'. The process is to be killed then, if it lives
 */
export function executeProcess(sys: Sys, { init, program, record, status, filtered }: Execution): void {
  const { seccomp } = record;
  if (seccomp === undefined) {
    if ('message' in program) init.executeSaved(program);
    else init.execute(program);
    return;
  }
  const saved = 'message' in program ? program : { ...encodeProgram(sys, program), operations: program.operations };
  const { listenerPath, listenerMetadata: metadata } = seccomp;
  if (listenerPath === undefined || filtered === true) init.executeSaved(saved);
  else {
    const owner = { pid: init.pid, state: specState(record, status), metadata };
    withSeccompAgent(sys, listenerPath, owner, (send) => executeHandingOver(sys, init, saved, send));
  }
  confirm(sys, init.pid, saved.operations);
}

interface Seen {
  readonly name: string;
  readonly dead: boolean;
  /** As wait(2) reports it. */
  readonly waitStatus: number;
}

function look(sys: Sys, pid: number): Seen | undefined {
  let text: string | undefined;
  try {
    text = readFileIfExists(sys, `/proc/${pid}/stat`);
  } catch (error) {
    if (isErrno(error, ESRCH)) return undefined;
    throw error;
  }
  if (text === undefined) return undefined;
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  return { name: text.slice(text.indexOf('(') + 1, nameEnd), dead: fields[0] === 'Z' || fields[0] === 'X', waitStatus: Number(fields[49]) };
}

/** execve closes the channel just before it gives the process its name, and exit before the process is dead: either comes in no time. */
function confirm(sys: Sys, pid: number, operations: readonly Operation[]): void {
  for (let waitMs = 0; ; waitMs = Math.min(waitMs * 2 + 0.02, 5)) {
    const seen = look(sys, pid);
    if (seen === undefined || seen.name !== WAITING_NAME) return;
    if (seen.dead) throw explain(seen.waitStatus, operations);
    if (waitMs > 0) sleepMs(sys, waitMs);
  }
}

function explain(waitStatus: number, operations: readonly Operation[]): RuntimeError {
  const signal = waitStatus & 0x7f;
  const status = (waitStatus >> 8) & 0xff;
  const execve = operations.findLast((operation) => operation.call === 'execve');
  // As `appendFailure` tells it.
  if (signal === 0 && status !== 0 && execve !== undefined) return operationError(execve, 0x100 - status);
  const how = signal === 0 ? 'ended' : `was ended by ${signalName(signal)}`;
  return new RuntimeError(
    'filtered',
    `the process ${how} at execve, which the seccomp filter forbids, or whose failure it forbids to tell`,
    {
      configPath: 'linux.seccomp',
      hint: 'a profile must allow execve; with exit_group allowed, too, the reason of a failure is told',
    },
  );
}
