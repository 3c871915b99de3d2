/** The table of `ps`: what ps(1) of the host prints, with the container's processes alone. */
import { RuntimeError } from '../base/errors.ts';
import { call, tryCall } from '../linux/call.ts';
import { close, readAll } from '../linux/files.ts';
import { AT_FDCWD, O_CLOEXEC } from '../linux/open-flags.ts';
import { shellStatus, waitForExit } from '../linux/processes.ts';
import { spawn } from '../linux/spawn.ts';
import type { Sys } from '../sys/sys.ts';
import { environmentVariable } from './paths.ts';

/** For callers that pass no PATH, such as podman. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const X_OK = 1;

/** What ps prints when it is called with these arguments. */
export function runPs(sys: Sys, args: readonly string[]): string {
  const pipe = new ArrayBuffer(8);
  call(sys, 'pipe2', 'a pipe', pipe, O_CLOEXEC);
  const [readEnd, writeEnd] = [new DataView(pipe).getInt32(0, true), new DataView(pipe).getInt32(4, true)];
  let pid: number;
  try {
    const fds = [[0, 0] as const, [writeEnd, 1] as const, [2, 2] as const];
    pid = spawn(sys, { path: findPs(sys), argv: ['ps', ...args], environ: sys.environ, fds });
  } catch (error) {
    close(sys, readEnd);
    throw error;
  } finally {
    close(sys, writeEnd);
  }
  const text = sys.decode(readAll(sys, readEnd, 'the output of ps'));
  close(sys, readEnd);
  const exit = waitForExit(sys, pid);
  const status = exit === undefined ? 0 : shellStatus(exit);
  if (status !== 0) throw new RuntimeError('ps', `ps ${args.join(' ')}: exit status ${status}: ${text.trim()}`);
  return text;
}

function findPs(sys: Sys): string {
  const folders = (environmentVariable(sys, 'PATH') ?? DEFAULT_PATH).split(':').filter((folder) => folder.startsWith('/'));
  const found = folders.map((folder) => `${folder}/ps`).find((path) => tryCall(sys, 'faccessat', AT_FDCWD, path, X_OK) === 0);
  if (found === undefined) {
    throw new RuntimeError('ps', 'exec: "ps": executable file not found in $PATH', { hint: 'install procps, or use ps --format json' });
  }
  return found;
}

/** The head line, and the lines whose column PID holds one of the pids. @throws RuntimeError 'ps' when there is no such column */
export function selectRows(text: string, pids: readonly number[]): string {
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const column = words(head).indexOf('PID');
  if (column < 0)
    throw new RuntimeError('ps', "couldn't find PID field in ps output", { hint: 'choose an output format of ps with a column PID' });
  const rows = lines.filter((line) => {
    const pid = Number(words(line)[column]);
    return pids.includes(pid);
  });
  return [head, ...rows].map((line) => `${line}\n`).join('');
}

function words(line: string): string[] {
  return line.trim().split(/\s+/);
}
