/** The events of tasks, as containerd's subscribers read them. */
import { anyOf } from '../../../specs/containerd/any.ts';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { timestampOf } from '../../../specs/containerd/timestamp.ts';
import type { TaskEvent } from '../events/publisher.ts';
import type { ProcessEnd } from './process-end.ts';

const events = containerd.events;

export function created(event: containerd.events.TaskCreate.$Properties): TaskEvent {
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

export function paused(containerId: string): TaskEvent {
  return { topic: '/tasks/paused', event: anyOf('containerd.events.TaskPaused', events.TaskPaused, { containerId }) };
}

export function resumed(containerId: string): TaskEvent {
  return { topic: '/tasks/resumed', event: anyOf('containerd.events.TaskResumed', events.TaskResumed, { containerId }) };
}
