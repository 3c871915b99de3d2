/** Why a container's program does not run, in docker's words and with docker's exit codes. */

import { ContainerError } from '../container/errors.ts';
import { messageOf } from '../container/files.ts';

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const CREATE =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runtime create failed: unable to start container process';

/** `program` is the first word of the command line. */
export function startError(error: unknown, program: string): ContainerError {
  if (error instanceof ContainerError) return error;
  const text = messageOf(error);
  const isAboutProgram = /process\.args|execve|executable|exec:/.test(text);
  const quoted = JSON.stringify(program);
  if (isAboutProgram && /not found|no such file|ENOENT/i.test(text)) {
    const reason = program.includes('/') ? `stat ${program}: no such file or directory` : 'executable file not found in $PATH';
    return new ContainerError('command', `${CREATE}: exec: ${quoted}: ${reason}: unknown`, { exitCode: NOT_FOUND, cause: error });
  }
  if (isAboutProgram && /permission denied|EACCES|not executable|is a directory|EISDIR|exec format|ENOEXEC/i.test(text)) {
    const reason = /directory|EISDIR/i.test(text) ? 'is a directory' : 'permission denied';
    return new ContainerError(
      'command',
      `${CREATE}: exec: ${quoted}: ${/format|ENOEXEC/i.test(text) ? 'exec format error' : reason}: unknown`,
      {
        exitCode: NOT_EXECUTABLE,
        cause: error,
      },
    );
  }
  return new ContainerError('command', text, { exitCode: 125, cause: error });
}
