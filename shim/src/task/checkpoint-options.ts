/** The runtime options that come with a checkpoint: runc's own. */

import { CGROUP_MODES, type CgroupMode } from '../../../runtime/src/criu/rpc.ts';
import { CLONE_NEWNET } from '../../../runtime/src/linux/namespaces.ts';
import { type Any, anyBytes, isAnyOf } from '../../../specs/containerd/any.ts';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { messageOf } from '../base/node-error.ts';
import { invalid } from './errors.ts';
import type { CheckpointOptions } from './operations/operation.ts';

const RUNC = 'containerd.runc.v1.CheckpointOptions';

/** @param path the image directory, unless the options name one @throws StatusError InvalidArgument */
export function parseCheckpointOptions(path: string, any: Any | null | undefined): CheckpointOptions {
  const options = decode(any);
  const imagePath = absolute('image path', options.imagePath === '' ? path : options.imagePath);
  if (imagePath === undefined) throw invalid('a checkpoint needs a path for its image');
  return {
    imagePath,
    workPath: absolute('options.work_path', options.workPath),
    leaveRunning: !options.exit,
    tcpEstablished: options.openTcp,
    externalUnixSockets: options.externalUnixSockets,
    shellJob: options.terminal,
    fileLocks: options.fileLocks,
    emptyNamespaces: emptyNamespaces(options.emptyNamespaces),
    cgroupMode: cgroupMode(options.cgroupsMode),
    parentPath: options.parentPath === '' ? undefined : options.parentPath,
  };
}

function decode(any: Any | null | undefined): containerd.runc.v1.CheckpointOptions {
  const { CheckpointOptions: Message } = containerd.runc.v1;
  if (any === null || any === undefined || (any.type_url ?? '') === '') return Message.create();
  if (!isAnyOf(any, RUNC)) throw invalid(`options of type ${any.type_url} are not known: expected ${RUNC}`);
  try {
    return Message.decode(anyBytes(any));
  } catch (error) {
    throw invalid(`options are no ${RUNC}: ${messageOf(error)}`, error);
  }
}

/** @returns undefined for an empty one */
function absolute(what: string, path: string): string | undefined {
  if (path === '') return undefined;
  if (!path.startsWith('/')) throw invalid(`${what} ${JSON.stringify(path)} is not absolute`);
  return path;
}

function cgroupMode(name: string): CgroupMode | undefined {
  if (name === '') return undefined;
  if (Object.hasOwn(CGROUP_MODES, name)) return name as CgroupMode;
  throw invalid(`options.cgroups_mode ${JSON.stringify(name)} is none of ${Object.keys(CGROUP_MODES).join(', ')}`);
}

/** CRIU can leave out the content of no other kind. */
function emptyNamespaces(names: readonly string[]): number | undefined {
  for (const name of names) {
    if (name !== 'network') throw invalid(`options.empty_namespaces: ${JSON.stringify(name)} cannot be left out, only "network"`);
  }
  return names.length === 0 ? undefined : CLONE_NEWNET;
}
