/** Finding the command as execvp(3) would, as the user the process has become, before anybody is told that the container is created. */
import { RuntimeError } from '../base/errors.ts';
import { JUMP_IF_ERROR, JUMP_IF_OK } from '../init/agent/protocol.ts';
import type { Init, ProgramResults } from '../init/init-process.ts';
import { Program, type ResultOf } from '../init/program.ts';
import { EACCES, EISDIR, ENOENT, ENOSYS, ENOTDIR, errnoText } from '../linux/errno.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../linux/open-flags.ts';
import type { ExecutePlan } from '../plan/process.ts';
import type { Architecture } from '../sys/sys.ts';

const X_OK = 1;
const AT_EACCESS = 0x200;

interface Candidate {
  readonly path: string;
  readonly directory: ResultOf;
  readonly access: ResultOf;
}

/** Stops at the first file that may be executed. */
function appendSearch(program: Program, arch: Architecture, candidates: readonly string[]): Candidate[] {
  const end = program.place();
  const list = candidates.map((path): Candidate => {
    const next = program.place();
    const isFile = program.place();
    const directory = program.call('openat', [AT_FDCWD, path, O_PATH | O_DIRECTORY(arch) | O_CLOEXEC, 0]);
    program.jumpTo(isFile, JUMP_IF_ERROR);
    program.jump(next);
    program.here(isFile);
    const access = program.call('faccessat2', [AT_FDCWD, path, X_OK, AT_EACCESS], { ignore: 'all' });
    program.test(access);
    program.jumpTo(end, JUMP_IF_OK);
    program.here(next);
    return { path, directory, access };
  });
  program.here(end);
  return list;
}

/** A search that the process has to make. */
export interface Lookup {
  readonly program: Program;
  /**
   * The path to execute.
   * @throws RuntimeError 'executable' in the words that engines look for: "executable file not found in $PATH", "no such file or directory",
   * "permission denied"
   */
  found(results: ProgramResults): string;
}

export function planLookup(arch: Architecture, plan: ExecutePlan): Lookup {
  const program = new Program({ step: 'find the executable', configPath: 'process.args[0]' });
  const candidates = appendSearch(program, arch, plan.candidates);
  return { program, found: (results) => choose(plan.args[0] ?? '', candidates, results) };
}

/** The path to execute. Throws as `Lookup.found` does. */
export function findExecutable(init: Init, arch: Architecture, plan: ExecutePlan): string {
  const { program, found } = planLookup(arch, plan);
  return found(init.run(program));
}

function choose(command: string, candidates: readonly Candidate[], results: ProgramResults): string {
  let denied = 0;
  let failure = ENOENT;
  for (const { path, directory, access } of candidates) {
    if (results.value(directory) >= 0) {
      denied = command.includes('/') ? EISDIR : denied;
      continue;
    }
    const errno = -results.value(access);
    // Kernels before 5.8, and filters around us, lack faccessat2: then execve itself will tell.
    if (errno === 0 || errno === ENOSYS) return path;
    if (errno === EACCES) denied = EACCES;
    if (errno !== ENOTDIR) failure = errno;
  }
  throw notFound(command, denied, failure);
}

function notFound(command: string, denied: number, failure: number): RuntimeError {
  const details = { configPath: 'process.args[0]' };
  const quoted = JSON.stringify(command);
  if (denied === EISDIR) return new RuntimeError('executable', `exec: ${quoted}: is a directory: ${errnoText(EACCES)}`, details);
  if (denied !== 0) return new RuntimeError('executable', `exec: ${quoted}: ${errnoText(denied)}`, details);
  if (command.includes('/')) return new RuntimeError('executable', `exec: ${quoted}: stat ${command}: ${errnoText(failure)}`, details);
  return new RuntimeError('executable', `exec: ${quoted}: executable file not found in $PATH`, details);
}
