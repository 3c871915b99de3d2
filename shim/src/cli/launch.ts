/**
 * What containerd executes: `start`, `delete`, `-info`, `-v`. Synchronous, on either engine. containerd reads standard output and standard error of
 * `start` as one text: where it succeeds, nothing but the answer is written.
 */
import { readAll, writeAll } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { COMMAND_NAME, COMMIT, VERSION } from '../base/version.ts';
import { bufferOf, bytesField, concat, varintField } from '../base/wire.ts';
import { parseArguments, type ShimArguments, UsageError } from '../bootstrap/arguments.ts';
import { variable } from '../bootstrap/environment.ts';
import { groupOf } from '../bootstrap/group.ts';
import { parseParams } from '../bootstrap/params.ts';
import { placesOf } from '../bootstrap/places.ts';
import { type Engine, start } from '../bootstrap/start.ts';
import { deleteDeadContainer } from '../task/dead-container.ts';
import { startUnderKeeper } from '../task/keeper.ts';
import { runtimeInfo } from './info.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
/** As containerd's own shim; more is no message of containerd's. */
const MOST_INPUT_BYTES = 10 << 20;
const NANOSECONDS = 1_000_000_000n;

/** Returns the exit status. @param engine starts the long-running process */
export function launch(sys: Sys, engine: Engine): number {
  try {
    const args = parseArguments(sys.argv.slice(1));
    writeAll(sys, STDOUT, answer(sys, args, engine), 'standard output');
    return 0;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    writeAll(sys, STDERR, `${COMMAND_NAME}: ${text}\n`, 'standard error');
    return error instanceof UsageError ? 2 : 1;
  }
}

function answer(sys: Sys, args: ShimArguments, engine: Engine): ArrayBuffer | string {
  switch (args.action) {
    case 'version':
      return `${COMMAND_NAME}:\n  Version:  ${VERSION}\n  Revision: ${COMMIT}\n`;
    case 'info':
      return bufferOf(runtimeInfo(sys, input(sys)));
    case 'start':
      required(args, 'namespace', 'address', 'id');
      return start(sys, args, parseParams(sys, input(sys), args), engine, startUnderKeeper);
    case 'delete':
      required(args, 'namespace', 'address', 'id');
      return deleteLeftOver(sys, args);
    case 'serve':
      throw new UsageError('serve is for the process that start starts');
  }
}

function required(args: ShimArguments, ...names: ('namespace' | 'address' | 'id')[]): void {
  for (const name of names) {
    if (args[name] === '') {
      throw new UsageError(`-${name} is missing`);
    }
  }
}

function input(sys: Sys): Uint8Array {
  return new Uint8Array(readAll(sys, STDIN, 'standard input', MOST_INPUT_BYTES));
}

/** A containerd.task.v3.DeleteResponse. */
function deleteLeftOver(sys: Sys, { namespace, address, id, bundle }: ShimArguments): ArrayBuffer {
  const places = placesOf({ namespace, address, group: groupOf(sys, bundle), homeDirectory: variable(sys, 'TSRUN_SHIM_HOME') });
  const root = `${places.runtimeRoot}/${namespace}`;
  const warn = (text: string): void => writeAll(sys, STDERR, `${text}\n`, 'standard error');
  const { pid, exitStatus, exitedAt } = deleteDeadContainer(sys, { id, bundle, tasks: places.tasks, root, keepers: places.home }, warn);
  const timestamp = concat([varintField(1, Number(exitedAt / NANOSECONDS)), varintField(2, Number(exitedAt % NANOSECONDS))]);
  return bufferOf(concat([varintField(1, pid), varintField(2, exitStatus), bytesField(3, timestamp)]));
}
