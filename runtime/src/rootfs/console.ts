/** The container's terminal (config.md, "terminal"; pty(7)). */
import { struct } from '../init/program.ts';
import { sendDescriptor } from '../init/rights.ts';
import { O_CLOEXEC, O_NOCTTY, O_PATH, O_RDWR, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../linux/open-flags.ts';
import type { ConsoleStep } from '../plan/steps.ts';
import { attach, cloneTree } from './attach.ts';
import { makeFile, openBelow, type openInRoot, type Target } from './paths.ts';

const TIOCSCTTY = 0x540e;
const TIOCSWINSZ = 0x5414;
const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;

/** The name that goes along with the terminal's descriptor, as runc sends it. */
const CONSOLE_NAME = '/dev/ptmx';

/**
 * Makes a terminal in the container's devpts, sends its master through the console socket and makes the other end the standard streams.
 * The other end comes from the master by TIOCGPTPEER, never by the path /dev/pts/N, which could be swapped (CVE-2025-52565).
 */
export function compileConsole(target: Target, step: ConsoleStep): void {
  const { program, fds } = target;
  program.step('make the terminal', step.configPath);
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  const master = openBelow(target, fds.root, 'dev/pts/ptmx', { flags: O_RDWR | O_NOCTTY, resolve });
  program.call('ioctl', [master, TIOCSPTLCK, struct([[4, 0]], '0')], { object: 'unlock the terminal' });
  const slave = program.call('ioctl', [master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], { object: 'open the terminal' });
  if (step.size !== undefined) {
    const size = struct(
      [
        [2, step.size.height],
        [2, step.size.width],
        [4, 0],
      ],
      `${step.size.width}x${step.size.height}`,
    );
    program.call('ioctl', [master, TIOCSWINSZ, size], { object: 'size the terminal' });
  }
  program.call('fchown', [slave, step.uid, -1], { object: 'own the terminal' });
  if (step.mount) mountConsole(target, slave);
  program.call('dup3', [master, fds.terminal, O_CLOEXEC]);
  sendDescriptor(program, fds.console, fds.terminal, CONSOLE_NAME, 'the console socket');
  program.call('close', [fds.terminal]);
  program.call('close', [fds.console]);
  for (const stream of [0, 1, 2]) program.call('dup3', [slave, stream, 0]);
  program.call('ioctl', [0, TIOCSCTTY, 0], { object: 'the controlling terminal' });
}

/** /dev/console is the terminal, bind-mounted. */
function mountConsole(target: Target, slave: ReturnType<typeof openInRoot>): void {
  makeFile(target, '/dev/console');
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  const place = openBelow(target, target.fds.root, 'dev/console', { flags: O_PATH, resolve });
  const terminal = cloneTree(target, slave, '', false);
  attach(target, terminal, place, '/dev/console');
}
