/**
 * Mount sources that the runtime opens itself, and perhaps id-maps: it has rights on the host that the root of the container's user namespace lacks
 * (a directory that only the host's root may enter; mount_setattr(2), "ID-mapped mounts").
 */
import { RuntimeError } from '../../base/errors.ts';
import { startAgent } from '../../init/agent-process.ts';
import { InitProcess } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import { tryCall } from '../../linux/call.ts';
import { EINVAL, EPERM, errnoText, syscallError } from '../../linux/errno.ts';
import { close, open, readFile } from '../../linux/files.ts';
import { MOUNT_ATTR_IDMAP, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE } from '../../linux/mount-flags.ts';
import { NAMESPACES } from '../../linux/namespaces.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE } from '../../linux/open-flags.ts';
import { waitForExit } from '../../linux/processes.ts';
import { statFd } from '../../linux/stat.ts';
import type { Plan } from '../../plan/plan.ts';
import type { BindStep, IdMap } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';
import { writeIdMaps } from './id-maps.ts';

type PreparedBind = BindStep & { readonly prepared: NonNullable<BindStep['prepared']> };

/** Those that are opened so, in the order of their indexes. */
export function preparedBinds(plan: Plan): readonly PreparedBind[] {
  return plan.prepare
    .filter((step): step is PreparedBind => step.kind === 'bind' && step.prepared !== undefined)
    .sort((a, b) => a.prepared.index - b.prepared.index);
}

/** Detached trees in the order of their indexes. The caller closes them. @throws RuntimeError 'bind-source', 'id-mapped-mount' */
export function openPrepared(context: Context, steps: readonly PreparedBind[]): number[] {
  if (steps.length === 0) return [];
  const namespaces = new UserNamespaces(context);
  const trees: number[] = [];
  try {
    for (const step of steps) {
      const tree = openTree(context.sys, step);
      trees.push(tree);
      const { idMap } = step.prepared;
      if (idMap !== undefined) setIdMap(context.sys, step, tree, namespaces.get(idMap.uidMappings, idMap.gidMappings));
    }
    return trees;
  } catch (error) {
    for (const tree of trees) close(context.sys, tree);
    throw error;
  } finally {
    namespaces.close();
  }
}

function openTree(sys: Sys, { source, recursive, configPath }: PreparedBind): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  const tree = tryCall(sys, 'open_tree', AT_FDCWD, source, flags);
  if (tree >= 0) return tree;
  const failure = { syscall: 'open_tree', errno: -tree, object: source };
  throw syscallError(configPath === undefined ? failure : { ...failure, configPath }, `open the bind source ${source}`);
}

const MOUNT_ATTR_BYTES = 32;

/** Has a detached tree show its ids as a user namespace maps them. @returns 0 or a negated errno */
export function mapMount(sys: Sys, tree: number, userNamespace: number, recursive: boolean): number {
  const attributes = new ArrayBuffer(MOUNT_ATTR_BYTES);
  const view = new DataView(attributes);
  view.setBigUint64(0, BigInt(MOUNT_ATTR_IDMAP), true);
  view.setBigUint64(24, BigInt(userNamespace), true);
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return tryCall(sys, 'mount_setattr', tree, '', flags, attributes, MOUNT_ATTR_BYTES);
}

function setIdMap(sys: Sys, step: PreparedBind, tree: number, userNamespace: number): void {
  const result = mapMount(sys, tree, userNamespace, step.prepared.idMap?.recursive === true);
  if (result < 0) throw idMapError(sys, step, tree, -result);
}

function idMapError(sys: Sys, { source, configPath = 'mounts' }: PreparedBind, tree: number, errno: number): RuntimeError {
  const type = filesystemType(sys, tree);
  const what = `${configPath}: cannot map the ids of ${source} (${type})`;
  if (errno === EINVAL) {
    return new RuntimeError('id-mapped-mount', `${what}: ${errnoText(errno)}: the file system does not support id-mapped mounts`, {
      configPath,
      hint: `kernel ${kernelRelease(sys)} cannot do it for ${type}, or for something that is mounted below with ridmap; without idmap the files belong to nobody`,
    });
  }
  const why = errno === EPERM ? ': it needs privilege over the file system, and a mount that is not mapped already' : '';
  return new RuntimeError('id-mapped-mount', `${what}: ${errnoText(errno)}${why}`, { configPath });
}

/** As /proc/self/mountinfo names it, by the device of the tree's root. */
function filesystemType(sys: Sys, tree: number): string {
  const { deviceMajor, deviceMinor } = statFd(sys, tree, 'a mount');
  const line = readFile(sys, '/proc/self/mountinfo')
    .split('\n')
    .find((candidate) => candidate.split(' ')[2] === `${deviceMajor}:${deviceMinor}`);
  return line?.split(' - ')[1]?.split(' ')[0] ?? 'unknown file system';
}

function kernelRelease(sys: Sys): string {
  return readFile(sys, '/proc/sys/kernel/osrelease').trim();
}

/** User namespaces that exist for their maps only, one for each pair of maps. */
class UserNamespaces {
  readonly #context: Context;
  readonly #fds = new Map<string, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** A descriptor that `close` closes. */
  get(uidMappings: readonly IdMap[], gidMappings: readonly IdMap[]): number {
    const key = JSON.stringify([uidMappings, gidMappings]);
    let fd = this.#fds.get(key);
    if (fd === undefined) {
      fd = makeUserNamespace(this.#context, uidMappings, gidMappings);
      this.#fds.set(key, fd);
    }
    return fd;
  }

  close(): void {
    for (const fd of this.#fds.values()) close(this.#context.sys, fd);
  }
}

/** Made by an agent, since a process with threads cannot; the descriptor, the caller's to close, keeps it when the agent has gone. */
export function makeUserNamespace(context: Context, uidMappings: readonly IdMap[], gidMappings: readonly IdMap[]): number {
  const { sys } = context;
  const [input, output, error] = context.caller.stdio;
  const agent = startAgent(sys, {
    image: context.agentImage(),
    fds: [
      [input, 0],
      [output, 1],
      [error, 2],
    ],
    channelFd: 3,
  });
  const process = new InitProcess(sys, agent.pid, agent.channel);
  try {
    const program = new Program({ step: 'make a user namespace for id-mapped mounts', configPath: 'mounts' });
    program.call('unshare', [NAMESPACES.user.flag]);
    process.run(program);
    writeIdMaps(sys, agent.pid, uidMappings, gidMappings);
    return open(sys, `/proc/${agent.pid}/ns/user`);
  } finally {
    process.release();
    waitForExit(sys, agent.pid);
  }
}
