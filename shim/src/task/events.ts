/** The events of tasks, as containerd's subscribers read them. */
import { anyOf } from '../../../specs/containerd/any.ts';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { timestampOf } from '../../../specs/containerd/timestamp.ts';
import type { TaskEvent } from '../events/publisher.ts';
import type { StreamUris } from '../stdio/process-io.ts';
import type { RootfsMount } from './operations/operation.ts';
import type { ProcessEnd } from './process-end.ts';

const events = containerd.events;

export interface Created {
  readonly containerId: string;
  readonly bundle: string;
  readonly rootfs: readonly RootfsMount[];
  readonly io: StreamUris & { readonly terminal: boolean };
  /** Directory of the image that it is to be restored from, or ''. */
  readonly checkpoint: string;
  readonly pid: number;
}

export function created({ rootfs, io: { stdin, stdout, stderr, terminal }, ...rest }: Created): TaskEvent {
  const mounts = rootfs.map((mount) => ({ ...mount, options: [...mount.options] }));
  const event = { ...rest, rootfs: mounts, io: { stdin, stdout, stderr, terminal } };
  return { topic: '/tasks/create', event: anyOf('containerd.events.TaskCreate', events.TaskCreate, event) };
}

export function started(containerId: string, pid: number): TaskEvent {
  return { topic: '/tasks/start', event: anyOf('containerd.events.TaskStart', events.TaskStart, { containerId, pid }) };
}

export function execAdded(containerId: string, execId: string): TaskEvent {
  return { topic: '/tasks/exec-added', event: anyOf('containerd.events.TaskExecAdded', events.TaskExecAdded, { containerId, execId }) };
}

export function execStarted(containerId: string, execId: string, pid: number): TaskEvent {
  const event = anyOf('containerd.events.TaskExecStarted', events.TaskExecStarted, { containerId, execId, pid });
  return { topic: '/tasks/exec-started', event };
}

/** @param id of the exec; for an init the container's */
export function exited(containerId: string, id: string, pid: number, end: ProcessEnd): TaskEvent {
  const message = { containerId, id, pid, exitStatus: end.status, exitedAt: timestampOf(end.at) };
  return { topic: '/tasks/exit', event: anyOf('containerd.events.TaskExit', events.TaskExit, message) };
}

export function deleted(containerId: string, pid: number, end: ProcessEnd): TaskEvent {
  const message = { containerId, id: '', pid, exitStatus: end.status, exitedAt: timestampOf(end.at) };
  return { topic: '/tasks/delete', event: anyOf('containerd.events.TaskDelete', events.TaskDelete, message) };
}

export function outOfMemory(containerId: string): TaskEvent {
  return { topic: '/tasks/oom', event: anyOf('containerd.events.TaskOOM', events.TaskOOM, { containerId }) };
}

/** @param checkpoint the image's directory */
export function checkpointed(containerId: string, checkpoint: string): TaskEvent {
  const event = anyOf('containerd.events.TaskCheckpointed', events.TaskCheckpointed, { containerId, checkpoint });
  return { topic: '/tasks/checkpointed', event };
}

export function paused(containerId: string): TaskEvent {
  return { topic: '/tasks/paused', event: anyOf('containerd.events.TaskPaused', events.TaskPaused, { containerId }) };
}

export function resumed(containerId: string): TaskEvent {
  return { topic: '/tasks/resumed', event: anyOf('containerd.events.TaskResumed', events.TaskResumed, { containerId }) };
}
