/** A double of an init process for tests: it makes no system call, writes down what it would make, and answers as it is told. */

import { IGNORE_ALL, JUMP, JUMP_IF_ERROR, JUMP_IF_OK, JUMP_IF_ZERO, STORE, STORE32 } from './agent/protocol.ts';
import { checkResults, type Init, type ProgramResults, programResults } from './init-process.ts';
import { describeProgram, type Operation, type Program } from './program.ts';

/** The result of a system call: a number, or a negated errno. */
export type Answer = (operation: Operation) => number;

export class RecordingInit implements Init {
  /** The lines of the operations that were made, jumps taken as the agent would take them. */
  readonly lines: string[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer = () => 0) {
    this.#answer = answer;
  }

  run(program: Program): ProgramResults {
    const descriptions = describeProgram(program);
    const values = program.operations.map(() => 0);
    let index = 0;
    let done = program.operations.length;
    while (index < program.operations.length) {
      const operation = program.operations[index];
      if (operation === undefined) break;
      const result = this.#perform(operation, descriptions[index] ?? '', values);
      values[index] = result;
      const next = following(operation, index, result);
      if (next === undefined) {
        done = index + 1;
        break;
      }
      index = next;
    }
    const results = {
      done,
      value: (at: number) => values[at] ?? 0,
      outputs: program.outputs.map((output) => new ArrayBuffer(output.sizeBytes)),
    };
    checkResults(program.operations, results);
    return programResults(results);
  }

  #perform(operation: Operation, description: string, values: readonly number[]): number {
    if ((operation.flags & (STORE | STORE32)) === 0) {
      this.lines.push(description);
      return this.#answer(operation);
    }
    const value = operation.args[1];
    if (typeof value === 'object' && value !== null && value.kind === 'result') return values[value.op] ?? 0;
    return Number(value);
  }
}

/** The operation to go on with; undefined when the program stops at an error. */
function following({ flags, jump, ignoredErrno }: Operation, index: number, result: number): number | undefined {
  if ((flags & JUMP) !== 0) return jump;
  if (result < 0) {
    if ((flags & JUMP_IF_ERROR) !== 0) return jump;
    return (flags & IGNORE_ALL) !== 0 || result === -ignoredErrno ? index + 1 : undefined;
  }
  if ((flags & JUMP_IF_OK) !== 0 || ((flags & JUMP_IF_ZERO) !== 0 && result === 0)) return jump;
  return index + 1;
}
