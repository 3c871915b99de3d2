/** The environment of the container's program. */

import { JUMP_IF_ERROR } from '../../init/agent/protocol.ts';
import type { AgentFds } from '../../init/agent-fds.ts';
import type { InitProcess, ProgramResults } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import { O_NOCTTY, O_NONBLOCK, O_RDONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../../linux/open-flags.ts';
import { environmentValue } from '../../plan/executable.ts';
import { homeDirectory } from '../../process/passwd.ts';
import { openBelow } from '../../rootfs/paths.ts';
import type { Sys } from '../../sys/sys.ts';

/** Most files fit in the first piece. What lies behind the second one is not read. */
const PIECE_BYTES = 16_384;
const MAX_BYTES = 1_048_576;
const DEFAULT_HOME = '/';

export interface EnvironmentSource {
  readonly init: InitProcess;
  readonly fds: AgentFds;
  /** The user that the process has become. */
  readonly uid: number;
}

/** HOME is filled in where the configuration leaves it out or empty, from the container's own /etc/passwd. */
export function processEnvironment(sys: Sys, source: EnvironmentSource, env: readonly string[], extra: readonly string[]): string[] {
  return beginEnvironment(sys, source, env, extra)();
}

/** As `processEnvironment`, in two parts: the process looks while it is sent more (`InitProcess.begin`). */
export function beginEnvironment(sys: Sys, source: EnvironmentSource, env: readonly string[], extra: readonly string[]): () => string[] {
  if ((environmentValue(env, 'HOME') ?? '') !== '') return () => [...env, ...extra];
  const { program, text } = planReading(sys, source, PIECE_BYTES);
  const answer = source.init.begin(program);
  return () => {
    let passwd = text(answer());
    if (passwd.length >= PIECE_BYTES) {
      const whole = planReading(sys, source, MAX_BYTES);
      passwd = whole.text(source.init.run(whole.program));
    }
    const home = homeDirectory(passwd, source.uid) ?? DEFAULT_HOME;
    return [...env.filter((entry) => !entry.startsWith('HOME=')), `HOME=${home}`, ...extra];
  };
}

interface Reading {
  readonly program: Program;
  text(results: ProgramResults): string;
}

/** The beginning of passwd; empty when it is not there, or is not a file. */
function planReading(sys: Sys, { fds }: EnvironmentSource, bytes: number): Reading {
  const program = new Program({ step: 'look up the home directory' });
  const end = program.place();
  // Whatever the container put there (a FIFO, a device, a link), opening it neither waits nor leads out of the root.
  const how = { flags: O_RDONLY | O_NONBLOCK | O_NOCTTY, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
  const file = openBelow({ program, fds, arch: sys.arch, opened: { proc: false } }, fds.root, 'etc/passwd', how);
  program.jumpTo(end, JUMP_IF_ERROR);
  const piece = program.output(bytes);
  // Not read(2): what has no position is no file.
  const length = program.call('pread64', [file, piece, bytes, 0], { ignore: 'all' });
  program.call('close', [file]);
  program.here(end);
  return { program, text: (results) => sys.decode(results.output(piece), 0, Math.max(0, results.value(length))) };
}
