/** Groups of the resctrl file system (Documentation/filesystems/resctrl.rst): made, filled, and removed when they were the container's own. */
import { RuntimeError, SyscallError } from '../base/errors.ts';
import { ENOENT, isErrno } from '../linux/errno.ts';
import { mkdir, readFile, readFileIfExists, rmdir, writeKernelFile } from '../linux/files.ts';
import { lstat } from '../linux/stat.ts';
import type { RdtRecord } from '../state/record.ts';
import type { Sys } from '../sys/sys.ts';
import { agrees, RDT_PATH, type RdtPlan } from './plan.ts';

const GROUP_MODE = 0o755;

/** Where the resctrl file system is mounted, by the text of mountinfo. */
export function resctrlMountPoint(mountinfo: string): string | undefined {
  const line = mountinfo.split('\n').find((candidate) => / - resctrl /.test(candidate));
  return line?.split(' ')[4];
}

/** @throws RuntimeError 'intel-rdt' where there is none */
export function findResctrl(sys: Sys): string {
  const mountPoint = resctrlMountPoint(readFile(sys, '/proc/self/mountinfo'));
  if (mountPoint !== undefined) return mountPoint;
  throw new RuntimeError('intel-rdt', `${RDT_PATH}: no resctrl file system is mounted`, {
    configPath: RDT_PATH,
    hint: 'with a processor and a kernel that have it: mount -t resctrl resctrl /sys/fs/resctrl',
  });
}

export interface RdtGroup {
  readonly record: RdtRecord;
  /** Directories that were made, the first one first: for taking all back. */
  readonly made: readonly string[];
}

/**
 * Finds or makes the group and writes its schemata. On failure nothing is left.
 * @param root mount point of the resctrl file system
 * @throws RuntimeError 'intel-rdt', with what the file system says of the failure
 */
export function prepareGroup(sys: Sys, root: string, plan: RdtPlan): RdtGroup {
  const group = plan.group === '' ? root : `${root}/${plan.group}`;
  const made: string[] = [];
  const make = (directory: string): boolean => {
    const isNew = explained(sys, root, () => mkdir(sys, directory, GROUP_MODE));
    if (isNew) made.push(directory);
    return isNew;
  };
  const there = lstat(sys, group) !== undefined;
  if (!there && plan.mustExist) {
    throw new RuntimeError('intel-rdt', `${RDT_PATH}.closID: ${group} is not there, and without a schema it is not made`, {
      configPath: `${RDT_PATH}.closID`,
    });
  }
  if (there) compare(sys, root, group, plan);
  try {
    const created = !there && make(group);
    const monitoring = plan.monitoring === undefined ? undefined : `${group}/mon_groups/${plan.monitoring}`;
    if (monitoring !== undefined) make(monitoring);
    if (plan.schemata.length > 0) {
      explained(sys, root, () => writeKernelFile(sys, `${group}/schemata`, plan.schemata.map((line) => `${line}\n`).join('')));
    }
    return { record: { root, group, own: created && plan.own, ...(monitoring === undefined ? {} : { monitoring }) }, made };
  } catch (error) {
    removeDirectories(sys, made);
    throw error;
  }
}

/** Writes lines to a group's schemata; what they do not name stays. Returns what takes that back. @throws RuntimeError 'intel-rdt' */
export function changeSchemata(sys: Sys, { root, group }: RdtRecord, lines: readonly string[]): () => void {
  const file = `${group}/schemata`;
  const old = explained(sys, root, () => readFile(sys, file));
  const write = (text: string): void => explained(sys, root, () => writeKernelFile(sys, file, text));
  const undo = (): void => write(old.replaceAll(/^ +/gm, ''));
  try {
    write(lines.map((line) => `${line}\n`).join(''));
    return undo;
  } catch (error) {
    // Of several lines the first may have been taken.
    undo();
    throw error;
  }
}

/** A group that others are in is not changed by one who wishes for something else. */
function compare(sys: Sys, root: string, group: string, { compared }: RdtPlan): void {
  if (compared.length === 0) return;
  const schemata = readFile(sys, `${group}/schemata`);
  const granularity = Number(readFileIfExists(sys, `${root}/info/MB/bandwidth_gran`) ?? 1);
  for (const { line, configPath } of compared) {
    if (agrees(line, schemata, granularity)) continue;
    throw new RuntimeError(
      'intel-rdt',
      `${configPath}: ${group} is there and has other schemata: ${schemata.trim().split('\n').join(', ')}`,
      {
        configPath,
        hint: 'name another closID, or none of the schemas',
      },
    );
  }
}

/** Puts a process, and those that it starts, into the group. */
export function joinGroup(sys: Sys, record: RdtRecord, pid: number): void {
  const directories = record.monitoring === undefined ? [record.group] : [record.group, record.monitoring];
  for (const directory of directories) explained(sys, record.root, () => writeKernelFile(sys, `${directory}/tasks`, String(pid)));
}

/** What the container had of its own. */
export function removeGroup(sys: Sys, { group, monitoring, own }: RdtRecord): void {
  removeDirectories(sys, [...(own ? [group] : []), ...(monitoring === undefined ? [] : [monitoring])]);
}

export function removeDirectories(sys: Sys, directories: readonly string[]): void {
  for (const directory of directories.toReversed()) rmdir(sys, directory);
}

/** The file system tells in words what was wrong with the last command. */
function explained<T>(sys: Sys, root: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const status = isErrno(error, ENOENT) ? '' : (readFileIfExists(sys, `${root}/info/last_cmd_status`) ?? '').trim();
    const words = status === '' || status === 'ok' ? '' : `, last_cmd_status: ${status}`;
    throw new RuntimeError('intel-rdt', `${RDT_PATH}: ${error.message}${words}`, { configPath: RDT_PATH, cause: error });
  }
}
