/**
 * The process that holds a user's namespaces: users, with ids from /etc/subuid, and mounts. It is made by the first command,
 * sleeps until the machine or the user's session ends, and is joined by every later command and by the shim.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../../imagetool/src/store/lock.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ContainerError } from '../container/errors.ts';
import { hasErrorCode, messageOf, readText, replaceText } from '../container/files.ts';
import { processStartTime } from '../container/processes.ts';
import { idRanges, mapWords } from './id-ranges.ts';
import type { RootlessPlaces } from './places.ts';

/** A process, and when it started: a pid alone is given to others after its end. */
export interface Holder {
  readonly pid: number;
  readonly startTime: string;
}

/** Undefined where none lives. */
export function readHolder(places: RootlessPlaces): Holder | undefined {
  const [pid, startTime = ''] = (readText(places.holder) ?? '').trim().split(' ');
  const holder = { pid: Number(pid), startTime };
  return isHolder(holder) ? holder : undefined;
}

/** Whether it lives, in a user namespace that is not ours. */
export function isHolder({ pid, startTime }: Holder): boolean {
  if (!Number.isInteger(pid) || startTime === '' || processStartTime(pid) !== startTime) return false;
  try {
    return readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user');
  } catch (error) {
    // Somebody else's, or gone meanwhile.
    if (hasErrorCode(error, 'EACCES', 'EPERM', 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}

/**
 * The holder; made where there is none. Two commands at once make one.
 * @param others processes that are in the namespaces as well, should the holder have been killed: what is mounted there is to be found again
 * @throws ContainerError unsupported
 */
export async function ensureHolder(sys: Sys, places: RootlessPlaces, others: readonly Holder[]): Promise<Holder> {
  const found = readHolder(places) ?? others.find(isHolder);
  if (found !== undefined) return found;
  mkdirSync(places.directory, { recursive: true, mode: 0o700 });
  return await withLock(sys, places.lock, 'exclusive', async () => {
    const meanwhile = readHolder(places);
    if (meanwhile !== undefined) return meanwhile;
    const holder = await makeHolder();
    replaceText(places.holder, `${holder.pid} ${holder.startTime}\n`, 0o600);
    return holder;
  });
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/wrappers/bin';
const SLEEPER = 'sleep';

async function makeHolder(): Promise<Holder> {
  const user = { id: process.geteuid?.() ?? 0, group: process.getegid?.() ?? 0, names: userNames() };
  const uids = mapOf('/etc/subuid', user.id, user.names);
  const gids = mapOf('/etc/subgid', user.group, user.names);
  const words = ['--user', '--mount', '--propagation', 'slave', '--', SLEEPER, 'infinity'];
  const child = spawn('unshare', words, { detached: true, cwd: '/', env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const pid = await started(child);
    writeMap('newuidmap', pid, uids);
    writeMap('newgidmap', pid, gids);
    child.stderr?.destroy();
    child.unref();
    return { pid, startTime: processStartTime(pid) ?? '' };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function userNames(): string[] {
  const id = String(process.geteuid?.() ?? 0);
  try {
    return [userInfo().username, id];
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ERR_SYSTEM_ERROR')) return [id];
    throw error;
  }
}

/** @throws ContainerError unsupported where the file gives the user nothing */
function mapOf(file: string, own: number, names: readonly string[]): string[] {
  const ranges = idRanges(readText(file) ?? '', own, names);
  if (ranges.length > 1) return mapWords(ranges);
  const [name = ''] = names;
  throw new ContainerError('unsupported', `user ${name} has no range of ids in ${file}, which containers need for their users`, {
    hint: `Give one, as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}`,
  });
}

const PATIENCE_MS = 20_000;

/** Its namespaces are there as soon as it has become the program that sleeps. */
async function started(child: ChildProcess): Promise<number> {
  let said = '';
  let failure: Error | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.on('error', (error) => {
    failure = error;
  });
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(2)) {
    if (failure !== undefined) throw missing('unshare', 'util-linux', failure);
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (child.pid !== undefined && nameOf(child.pid) === SLEEPER) return child.pid;
  }
  throw new ContainerError('unsupported', `no user namespace can be made for this user: ${said.trim() || 'it takes too long'}`, {
    hint: 'What may forbid it: kernel.unprivileged_userns_clone=0 (Debian), kernel.apparmor_restrict_unprivileged_userns=1 (Ubuntu), user.max_user_namespaces=0; see sysctl(8).',
  });
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}

function writeMap(tool: 'newuidmap' | 'newgidmap', pid: number, words: readonly string[]): void {
  const { error, status, stderr } = spawnSync(tool, [String(pid), ...words], { env: { PATH }, encoding: 'utf8' });
  if (error !== undefined) throw missing(tool, 'uidmap (Debian) or shadow-utils (Fedora)', error);
  if (status === 0) return;
  throw new ContainerError('unsupported', `${tool} could not map the ids ${words.join(' ')}: ${stderr.trim()}`, {
    hint: `It must be setuid root (reinstall the package uidmap), and the ranges must be the user's in ${tool === 'newuidmap' ? '/etc/subuid' : '/etc/subgid'}.`,
  });
}

function missing(tool: string, pack: string, cause: Error): ContainerError {
  if (!hasErrorCode(cause, 'ENOENT')) return new ContainerError('unsupported', `${tool} cannot be run: ${messageOf(cause)}`, { cause });
  return new ContainerError('unsupported', `${tool} is not installed, and containers of a user need it`, {
    hint: `Install the package ${pack}.`,
    cause,
  });
}
