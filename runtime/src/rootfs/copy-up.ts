/** tmpcopyup: a tmpfs that has what the directory below it had (config.md, "Mounts"). */
import { type AgentFds, closeTemporaries } from '../init/agent-fds.ts';
import type { Init } from '../init/init-process.ts';
import { Program } from '../init/program.ts';
import { MOUNT_ATTR_RDONLY, MS_RDONLY } from '../linux/mount-flags.ts';
import { AT_EMPTY_PATH, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from '../linux/open-flags.ts';
import type { FilesystemStep } from '../plan/steps.ts';
import type { Architecture } from '../sys/sys.ts';
import { attach, FLAGS_WITH_NAMES, newMount, setAttributes, setPropagations } from './attach.ts';
import { setMode, setOwner, TreeCopy } from './copy-tree.ts';
import { copyExtendedAttributes, LISTING_BYTES } from './copy-xattrs.ts';
import { type CopyStatus, decodeCopyStatus, timesOf } from './file-status.ts';
import { STATX_BASIC_STATS, STATX_BYTES } from './masks.ts';
import { openDirectory, type Target } from './paths.ts';

export interface CopyUpSettings {
  readonly arch: Architecture;
  readonly fds: AgentFds;
}

/** Numbers in the agent, and what was there. */
interface Begun {
  /** Where the mount will be. */
  readonly place: number;
  readonly mount: number;
  /** The directory below, and the root of the mount, open for reading. */
  readonly source: number;
  readonly target: number;
  readonly status: CopyStatus;
  readonly listing: ArrayBuffer;
  readonly listed: number;
}

/**
 * Makes the mount, fills it, and only then puts it in its place, read-only if it shall be: in several exchanges with init, since what is to be copied
 * is seen on the way. Temporary descriptors that init has open are closed at the end.
 */
export function mountWithCopyUp(init: Init, settings: CopyUpSettings, step: FilesystemStep): void {
  const label = { step: `mount ${step.type} with tmpcopyup on ${step.destination}`, configPath: step.configPath };
  const begin = (): Program => new Program(label);
  const begun = beginMount(init, begin(), settings, step);
  new TreeCopy(init, settings.arch, begun.target, label).run(begun.source);
  copyExtendedAttributes(init, begin, begun);
  endMount(init, begin(), settings, { step, begun });
}

function beginMount(init: Init, program: Program, { arch, fds }: CopyUpSettings, step: FilesystemStep): Begun {
  const target: Target = { program, arch, fds, opened: { proc: false } };
  closeTemporaries(program, fds);
  const place = openDirectory(target, step.destination);
  // It must be written to first. Flags that only mount(2) takes mean nothing to a tmpfs.
  const superFlags = step.superFlags & FLAGS_WITH_NAMES & ~MS_RDONLY;
  const mount = newMount(target, { ...step, superFlags, attributes: step.attributes.set & ~MOUNT_ATTR_RDONLY });
  const flags = O_RDONLY | O_DIRECTORY(arch) | O_CLOEXEC;
  const source = program.call('openat', [place, '.', flags, 0], { object: step.destination });
  const root = program.call('openat', [mount, '.', flags, 0], { object: step.destination });
  const status = program.output(STATX_BYTES);
  program.call('statx', [source, '', AT_EMPTY_PATH, STATX_BASIC_STATS, status], { object: step.destination });
  const listing = program.output(LISTING_BYTES);
  const listed = program.call('flistxattr', [source, listing, LISTING_BYTES], { ignore: 'all' });
  const results = init.run(program);
  return {
    place: results.value(place),
    mount: results.value(mount),
    source: results.value(source),
    target: results.value(root),
    status: decodeCopyStatus(results.output(status)),
    listing: results.output(listing),
    listed: results.value(listed),
  };
}

/** Options that say what the root of the tmpfs is, instead of the directory below. */
function asks(step: FilesystemStep, name: string): boolean {
  return step.data.some((option) => option.startsWith(`${name}=`));
}

function endMount(
  init: Init,
  program: Program,
  { arch, fds }: CopyUpSettings,
  { step, begun }: { step: FilesystemStep; begun: Begun },
): void {
  const target: Target = { program, arch, fds, opened: { proc: false } };
  const { status, mount } = begun;
  const object = step.destination;
  if (!asks(step, 'uid') && !asks(step, 'gid')) setOwner(program, begun.target, status, object);
  if (!asks(step, 'mode')) setMode(program, begun.target, status, object);
  program.call('utimensat', [begun.target, null, timesOf(status), 0], { object });
  // A writer that is still there would keep the mount from becoming read-only.
  program.call('close', [begun.target]);
  setAttributes(target, mount, { set: step.attributes.set & MOUNT_ATTR_RDONLY, clear: 0 }, false);
  if (step.recursiveAttributes !== undefined) setAttributes(target, mount, step.recursiveAttributes, true);
  attach(target, mount, begun.place, step.destination);
  setPropagations(target, mount, step.propagations);
  closeTemporaries(program, fds);
  init.run(program);
}
