/** A command with `--trace FILE`. */
import { tryCall } from '../linux/call.ts';
import { close, open, writeAll } from '../linux/files.ts';
import { O_CREAT, O_WRONLY } from '../linux/open-flags.ts';
import { ChromeTrace } from '../operations/chrome-trace.ts';
import type { Command, Invocation } from './command.ts';
import { execute } from './dispatch.ts';
import { absolutePath } from './paths.ts';

const FILE_MODE = 0o644;

/** Runs the command and writes its phases, whatever becomes of it. Returns its exit status. @throws SyscallError for a file that cannot be written */
export function executeTraced(command: Command, invocation: Invocation<Record<never, never>>, file: string): number {
  const { sys, log } = invocation;
  const path = absolutePath(sys, file);
  const write = (text: string): void => {
    // Not O_TRUNC: of a file that was emptied ext4 waits at close until the new text is on its way to the disk.
    const fd = open(sys, path, { flags: O_WRONLY | O_CREAT, mode: FILE_MODE });
    try {
      writeAll(sys, fd, text, path);
      if (text !== '') tryCall(sys, 'ftruncate', fd, sys.encode(text).byteLength);
    } finally {
      close(sys, fd);
    }
  };
  // It is not kept open: the numbers of descriptors are the caller's. Whoever names a wrong file hears of it before anything is done.
  write('');
  const trace = new ChromeTrace(sys);
  trace.begin(command.name);
  const status = execute(command, { ...invocation, trace });
  if (status === 0) trace.end();
  try {
    write(trace.text());
  } catch (error) {
    log.warning(`the trace is lost: ${error instanceof Error ? error.message : String(error)}`);
  }
  return status;
}
