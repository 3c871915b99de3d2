/**
 * The typed side of an agent: takes programs, gives results, turns a failed operation into an error that says which step of the plan
 * and which place of config.json it came from.
 */
import type { RuntimeError } from '../base/errors.ts';
import { syscallError } from '../linux/errno.ts';
import { close } from '../linux/files.ts';
import { waitForExit } from '../linux/processes.ts';
import type { Sys } from '../sys/sys.ts';
import { IGNORE_ALL, JUMP, JUMP_IF_ERROR } from './agent/protocol.ts';
import { AgentGone, REPLY_DEADLINE_MS, receiveReply, sendMessage, setDeadline } from './channel.ts';
import { decodeReply, type EncodedProgram, encodeProgram, type Results } from './encode.ts';
import type { Argument, Operation, Output, Program, ResultOf } from './program.ts';
import type { SavedProgram } from './saved-program.ts';

const ERROR_ALLOWED = IGNORE_ALL | JUMP | JUMP_IF_ERROR;

/** Results by the values that building the program returned. */
export interface ProgramResults {
  value(result: ResultOf): number;
  output(output: Output): ArrayBuffer;
}

/** What operations need of an init process; tests give a double that records. */
export interface Init {
  /** Runs a program to its end. Throws `SyscallError` for the first operation that failed, `AgentGone` when the agent died. */
  run(program: Program): ProgramResults;
}

/** The first argument that names the failed call's object: a path, most often. */
function objectOf(operation: Operation): string | undefined {
  if (operation.label.object !== undefined) return operation.label.object;
  const text = (argument: Argument): argument is string => typeof argument === 'string' && argument !== '';
  return operation.args.find(text);
}

/** The error of a program's failed operation. */
export function operationError(operation: Operation, errno: number): RuntimeError {
  const { step, configPath } = operation.label;
  const object = objectOf(operation);
  const failure = { syscall: operation.call, errno, step };
  const what = `${step}: ${operation.call}${object === undefined ? '' : ` ${object}`}`;
  return syscallError(
    { ...failure, ...(object === undefined ? {} : { object }), ...(configPath === undefined ? {} : { configPath }) },
    what,
  );
}

/** Throws when the results tell of a failure. */
export function checkResults(operations: readonly Operation[], results: Results): void {
  const { done } = results;
  const operation = operations[done - 1];
  if (operation === undefined) return;
  const value = results.value(done - 1);
  if (value >= 0 || value < -4095) return;
  // The last operation can also have been one whose error was allowed: then the program came to its end by itself.
  if (done === operations.length && (operation.ignoredErrno === -value || (operation.flags & ERROR_ALLOWED) !== 0)) return;
  throw operationError(operation, -value);
}

export interface RunOptions {
  /** The program as it is sent, if it was encoded before. */
  readonly encoded?: EncodedProgram | undefined;
  /** Work of the runtime's own while the agent is at work. It must not throw. */
  readonly meanwhile?: (() => void) | undefined;
}

export class InitProcess implements Init {
  readonly #sys: Sys;
  #child: number | undefined;
  readonly pid: number;
  channel: number;

  /** Takes over the channel: `release` closes it. */
  constructor(sys: Sys, pid: number, channel: number, deadlineMs = REPLY_DEADLINE_MS) {
    setDeadline(sys, channel, deadlineMs);
    this.#sys = sys;
    this.pid = pid;
    this.channel = channel;
  }

  /** Sends a program whose answer goes elsewhere. */
  sendEncoded(message: ArrayBuffer, doing: string): void {
    sendMessage(this.#sys, this.channel, message, doing);
  }

  run(program: Program, options: RunOptions = {}): ProgramResults {
    const results = this.#exchange(program, options);
    if (results === undefined) throw new AgentGone(program.label.step);
    checkResults(program.operations, results);
    return programResults(results);
  }

  /**
   * Sends a program before the answers to earlier ones were asked for: several programs cost one exchange. They run whatever becomes of the
   * earlier ones. Returns the function that takes the answer; they are called in the order of the programs, and throw as `run` does.
   */
  begin(program: Program, encoded: EncodedProgram = encodeProgram(this.#sys, program)): () => ProgramResults {
    sendMessage(this.#sys, this.channel, encoded.message, firstStep(program));
    return () => {
      const results = this.#reply(program, encoded.replyBytes);
      if (results === undefined) throw new AgentGone(program.label.step);
      checkResults(program.operations, results);
      return programResults(results);
    };
  }

  /**
   * Runs a program that ends in execve. Returns when the new program runs (the channel, close-on-exec, ends); throws the failed operation.
   */
  execute(program: Program): void {
    const results = this.#exchange(program);
    if (results !== undefined) checkResults(program.operations, results);
  }

  /** As `execute`, for a program that was kept as bytes. */
  executeSaved(saved: SavedProgram): void {
    const doing = saved.operations[0]?.label.step ?? 'execute';
    sendMessage(this.#sys, this.channel, saved.message, doing);
    const reply = receiveReply(this.#sys, this.channel, saved.replyBytes, doing);
    if (reply !== undefined) checkResults(saved.operations, decodeReply(reply, saved.operations.length, []));
  }

  /** Waits for the answer to a program that was sent by somebody else: the process this one was cloned from. */
  receive(program: Program): ProgramResults {
    const results = this.#reply(program, encodeProgram(this.#sys, program).replyBytes);
    if (results === undefined) throw new AgentGone(program.label.step);
    checkResults(program.operations, results);
    return programResults(results);
  }

  /**
   * For a process that was cloned in the middle of `program` and executes at its end: returns when the new program runs; throws the failed operation.
   */
  awaitExecution(program: Program): void {
    const results = this.#reply(program, encodeProgram(this.#sys, program).replyBytes);
    if (results !== undefined) checkResults(program.operations, results);
  }

  #exchange(program: Program, options: RunOptions = {}): Results | undefined {
    const encoded = options.encoded ?? encodeProgram(this.#sys, program);
    sendMessage(this.#sys, this.channel, encoded.message, firstStep(program));
    options.meanwhile?.();
    return this.#reply(program, encoded.replyBytes);
  }

  #reply(program: Program, replyBytes: number): Results | undefined {
    const reply = receiveReply(this.#sys, this.channel, replyBytes, firstStep(program));
    const sizes = program.outputs.map((output) => output.sizeBytes);
    return reply === undefined ? undefined : decodeReply(reply, program.operations.length, sizes);
  }

  /** Leaves a child of ours, which is about to end, to be reaped with `release`. */
  reapOnRelease(pid: number): void {
    this.#child = pid;
  }

  /** Closes the channel. An agent that waits on it ends. */
  release(): void {
    if (this.#child !== undefined) waitForExit(this.#sys, this.#child);
    this.#child = undefined;
    if (this.channel >= 0) close(this.#sys, this.channel);
    this.channel = -1;
  }
}

function firstStep(program: Program): string {
  return program.operations[0]?.label.step ?? program.label.step;
}

export function programResults(results: Results): ProgramResults {
  return {
    value: (result) => results.value(result.op),
    output: (output) => results.outputs[output.index] ?? new ArrayBuffer(0),
  };
}
