/**
 * Mounts whose content is not the container's: CRIU keeps a key for each in the image, and at restore is told what to mount for which key. The keys are
 * runc's: the place in the container, and /dev/null for masked files.
 *
 * CRIU knows its options by text, `mnt[KEY]:VALUE`, so a place with a bracket could pass for another one's key, and have a directory of the host mounted
 * that nobody asked for: such places are refused.
 */
import { RuntimeError } from '../../base/errors.ts';
import { close, open, readFile } from '../../linux/files.ts';
import { O_PATH, S_IFCHR, S_IFMT } from '../../linux/open-flags.ts';
import { statFd } from '../../linux/stat.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Sys } from '../../sys/sys.ts';
import { type ExpectedMount, expectedMounts } from '../drift/expected-mounts.ts';
import { type MountEntry, parseMountinfo } from '../drift/mountinfo.ts';
import { isMountRoot, mountId, openInRoot } from '../drift/mounts.ts';

export type ExternalMount = readonly [string, string];

const NULL_DEVICE = '/dev/null';

function stepsOf(plan: Plan): ExpectedMount[] {
  return expectedMounts([...plan.prepare, ...plan.enter]).filter(({ destination }) => destination !== '/');
}

/** @throws RuntimeError 'checkpoint' */
function checkKey({ destination, configPath }: ExpectedMount): void {
  if (!/[[\]]/.test(destination)) return;
  const where = configPath === undefined ? '' : `${configPath}: `;
  throw new RuntimeError('checkpoint', `${where}CRIU cannot tell a mount at ${JSON.stringify(destination)} from its own syntax`, {
    ...(configPath === undefined ? {} : { configPath: `${configPath}.destination` }),
    hint: 'a container that is to be checkpointed must not have brackets in the paths of its mounts',
  });
}

/** For a dump: the place of each mount as the container has it, and its key. @throws RuntimeError 'checkpoint' */
export function dumpedMounts(sys: Sys, pid: number, plan: Plan): ExternalMount[] {
  const root = open(sys, `/proc/${pid}/root`, { flags: O_PATH });
  try {
    const entries = parseMountinfo(readFile(sys, `/proc/${pid}/mountinfo`));
    return stepsOf(plan).flatMap((mount) => dumped(sys, root, entries, mount));
  } finally {
    close(sys, root);
  }
}

function dumped(sys: Sys, root: number, entries: readonly MountEntry[], mount: ExpectedMount): ExternalMount[] {
  if (mount.source === undefined && mount.type !== undefined) return [];
  const fd = openInRoot(sys, root, mount.destination, O_PATH);
  if (fd < 0) return [];
  try {
    const entry = isMountRoot(sys, fd) ? entries.find(({ id }) => id === mountId(sys, fd)) : undefined;
    if (entry === undefined) return [];
    if (mount.source !== undefined) {
      checkKey(mount);
      return [[entry.mountPoint, mount.destination]];
    }
    // A masked file; a masked directory, and what is only made read-only, are file systems of the container's own.
    const isDevice = (statFd(sys, fd, mount.destination).mode & S_IFMT) === S_IFCHR;
    return isDevice && mount.masks ? [[entry.mountPoint, NULL_DEVICE]] : [];
  } finally {
    close(sys, fd);
  }
}

/** For a restore: keys, and what the caller's configuration has there. @throws RuntimeError 'checkpoint' */
export function restoredMounts(plan: Plan): ExternalMount[] {
  const binds = stepsOf(plan).flatMap((mount): ExternalMount[] => {
    if (mount.source === undefined) return [];
    checkKey(mount);
    return [[mount.destination, mount.source]];
  });
  return [...binds.filter(([key]) => key !== NULL_DEVICE), [NULL_DEVICE, NULL_DEVICE]];
}
