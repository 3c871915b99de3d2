/** What is kept of a container between commands: one small file, `state.jsonl`, beside the frozen `config.json`. */
import type { Hook } from '../../../specs/runtime/hooks.ts';
import { RuntimeError } from '../base/errors.ts';

export interface CgroupRecord {
  /** Absolute host directory. */
  readonly directory: string;
  /** Who made it and removes it. */
  readonly driver: 'cgroupfs' | 'systemd';
  /** Directories made for it, ancestors first: removed with it when nobody else uses them. */
  readonly created: readonly string[];
  /** The systemd unit, with that driver. */
  readonly unit?: string;
  /** The unit is of the user's own systemd. */
  readonly user?: boolean;
}

/** The container has a system call filter. */
export interface FilterRecord {
  /** Absolute path of the seccomp agent's socket, when the filter asks one. */
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  /** Init has it, and the listener was handed over, since create. */
  readonly loaded?: true;
}

/** The container's place in the resctrl file system. Absolute paths. */
export interface RdtRecord {
  /** Mount point. */
  readonly root: string;
  readonly group: string;
  /** The group was made for the container alone, and goes with it. */
  readonly own: boolean;
  /** The container's own monitoring group. */
  readonly monitoring?: string;
}

export interface ContainerRecord {
  readonly ociVersion: string;
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  /** Absolute path of the root file system. */
  readonly rootfs: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339, UTC. */
  readonly created: string;
  /** User id of who created it. */
  readonly owner: number;
  /** The init process, or 0 while it is not there yet. */
  readonly pid: number;
  /** Start time of the init process in clock ticks since boot: with the pid it cannot be mistaken for another process. */
  readonly startTime: number;
  readonly cgroup?: CgroupRecord;
  /** It was asked for: the container has no cgroup of its own, and none is to be looked for. */
  readonly noCgroup?: true;
  /** Descriptors after 2 that the program keeps: they move the numbers of the init process's own (`agentFds`). */
  readonly preservedFds: number;
  /** Made out of an image by `restore`. */
  readonly restored?: true;
  /** The container shares the session keyring of who created it. */
  readonly noNewKeyring?: boolean;
  readonly seccomp?: FilterRecord;
  readonly intelRdt?: RdtRecord;
  /** The hooks that later commands run, so that they need not read the configuration. */
  readonly hooks: LaterHooks;
}

export type LaterHooks = { readonly [Name in 'startContainer' | 'poststart' | 'poststop']?: readonly Hook[] | undefined };

/**
 * The last whole line of a file of records; undefined where there is none yet, because a create was cut off.
 * @throws RuntimeError 'state-corrupt'
 */
export function lastRecord(text: string, path: string): ContainerRecord | undefined {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).trimEnd();
  return whole === '' ? undefined : parseRecord(whole.slice(whole.lastIndexOf('\n') + 1), path);
}

function parseRecord(text: string, path: string): ContainerRecord {
  // The line is our own: it is checked for being one, not validated.
  const value: unknown = parse(text, path);
  if (typeof value !== 'object' || value === null || !('id' in value) || !('pid' in value)) {
    throw new RuntimeError('state-corrupt', `${path} is not the state of a container`, {
      hint: 'remove the container with delete --force',
    });
  }
  return value as ContainerRecord;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RuntimeError('state-corrupt', `${path} is not the state of a container`, {
      cause: error,
      hint: 'remove the container with delete --force',
    });
  }
}
