/** The environment of the container's program. */

import { JUMP_IF_ERROR } from '../init/agent/protocol.ts';
import type { AgentFds } from '../init/agent-fds.ts';
import type { InitProcess } from '../init/init-process.ts';
import { Program } from '../init/program.ts';
import { O_NOCTTY, O_NONBLOCK, O_RDONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../linux/open-flags.ts';
import { environmentValue } from '../plan/executable.ts';
import { homeDirectory } from '../process/passwd.ts';
import { openBelow } from '../rootfs/paths.ts';
import type { Sys } from '../sys/sys.ts';

/** Most files fit in the first piece; what lies behind the last one is not read. */
const PIECES_BYTES = [16_384, 1_048_576];
const DEFAULT_HOME = '/';

export interface EnvironmentSource {
  readonly init: InitProcess;
  readonly fds: AgentFds;
  /** The user that the process has become. */
  readonly uid: number;
}

/** HOME is filled in where the configuration leaves it out or empty, from the container's own /etc/passwd. */
export function processEnvironment(sys: Sys, source: EnvironmentSource, env: readonly string[], extra: readonly string[]): string[] {
  if ((environmentValue(env, 'HOME') ?? '') !== '') return [...env, ...extra];
  const home = homeDirectory(readPasswd(sys, source), source.uid) ?? DEFAULT_HOME;
  return [...env.filter((entry) => !entry.startsWith('HOME=')), `HOME=${home}`, ...extra];
}

/** The file's beginning; empty when it is not there, or is not a file. */
function readPasswd(sys: Sys, { init, fds }: EnvironmentSource): string {
  let text = '';
  for (const pieceBytes of PIECES_BYTES) {
    const program = new Program({ step: 'look up the home directory' });
    const end = program.place();
    // Whatever the container put there (a FIFO, a device, a link), opening it neither waits nor leads out of the root.
    const how = { flags: O_RDONLY | O_NONBLOCK | O_NOCTTY, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    const file = openBelow({ program, fds, arch: sys.arch, opened: { proc: false } }, fds.root, 'etc/passwd', how);
    program.jumpTo(end, JUMP_IF_ERROR);
    const piece = program.output(pieceBytes);
    // Not read(2): what has no position is no file.
    const length = program.call('pread64', [file, piece, pieceBytes, 0], { ignore: 'all' });
    program.call('close', [file]);
    program.here(end);
    const results = init.run(program);
    const bytes = Math.max(0, results.value(length));
    text = sys.decode(results.output(piece), 0, bytes);
    if (bytes < pieceBytes) break;
  }
  return text;
}
