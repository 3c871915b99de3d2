/**
 * Builds of a user without privileges: the command runs once more as the root of a user namespace, with the ids that /etc/subuid and /etc/subgid give the
 * user, and with mounts of its own, which end with it. There it builds as root does.
 */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { startAgent } from '../../../../runtime/src/init/agent-process.ts';
import { InitProcess } from '../../../../runtime/src/init/init-process.ts';
import { Program, stringArray } from '../../../../runtime/src/init/program.ts';
import { MS_PRIVATE, MS_REC } from '../../../../runtime/src/linux/mount-flags.ts';
import { NAMESPACES } from '../../../../runtime/src/linux/namespaces.ts';
import { SIGTERM, shellStatus, waitForExit } from '../../../../runtime/src/linux/processes.ts';
import { writeIdMaps } from '../../../../runtime/src/operations/assemble/id-maps.ts';
import { lazyAgentImage } from '../../../../runtime/src/operations/context/context.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { ImageError, isNodeError } from '../../base/errors.ts';

const CHANNEL = 5;
const PR_SET_PDEATHSIG = 1;

export interface EnterOptions {
  readonly sys: Sys;
  /** Of the command, without the program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly note: (text: string) => void;
}

/** Returns the exit code of the command. Throws ImageError `rootless` where no user namespace can be had. */
export function runInUserNamespace({ sys, args, env, note }: EnterOptions): number {
  const image = lazyAgentImage(sys)();
  const agent = startAgent(sys, { image, fds: [0, 1, 2].map((fd) => [fd, fd] as const), channelFd: CHANNEL });
  const init = new InitProcess(sys, agent.pid, agent.channel);
  try {
    unshare(init);
    const [uids, gids] = [mapOf('/etc/subuid', process.geteuid?.() ?? 0), mapOf('/etc/subgid', process.getegid?.() ?? 0)];
    if (uids.length === 1 || gids.length === 1) note(withoutRanges(userName()));
    writeIdMaps(sys, agent.pid, uids, gids);
    init.execute(commandProgram(args, env));
  } catch (cause) {
    init.release();
    waitForExit(sys, agent.pid);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError('rootless', `a build without root needs a user namespace: ${reason}`, { cause });
  }
  const exit = waitForExit(sys, agent.pid);
  return exit === undefined ? 1 : shellStatus(exit);
}

/** A number for a user that /etc/passwd does not have. */
function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (isNodeError(error, 'ERR_SYSTEM_ERROR', 'ENOENT')) return String(process.geteuid?.() ?? 0);
    throw error;
  }
}

function withoutRanges(user: string): string {
  return `${user} has no range in /etc/subuid and /etc/subgid: all files have one owner, and steps that need more fail; a line "${user}:100000:65536" in both gives one`;
}

function unshare(init: InitProcess): void {
  const program = new Program({ step: 'make a user namespace' });
  program.call('unshare', [NAMESPACES.user.flag | NAMESPACES.mount.flag]);
  init.run(program);
}

/** It ends with us, and in good order. */
function commandProgram(args: readonly string[], env: EnterOptions['env']): Program {
  const program = new Program({ step: 'run the command in its user namespace' });
  program.call('mount', ['none', '/', null, MS_REC | MS_PRIVATE, null]);
  program.call('prctl', [PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0]);
  const argv = [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...args];
  const environ = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  program.call('execve', [process.execPath, stringArray(argv), stringArray(environ)]);
  return program;
}

interface Range {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** The user's own id as root's, and after it the first range that the file gives the user. */
function mapOf(file: string, own: number): Range[] {
  const names = [userName(), String(process.geteuid?.() ?? 0)];
  const line = readIfThere(file)
    .split('\n')
    .map((text) => text.trim().split(':'))
    .find(([name = '']) => names.includes(name));
  const [hostID, size] = [Number(line?.[1]), Number(line?.[2])];
  const self = { containerID: 0, hostID: own, size: 1 };
  return hostID > 0 && size > 0 ? [self, { containerID: 1, hostID, size }] : [self];
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'EACCES')) return '';
    throw error;
  }
}
