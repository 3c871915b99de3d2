/** The events of a shim and the topics they are published under. */
import { anyOf } from './any.ts';
import { containerd, type google } from './gen/containerd.js';
import type { Encodable } from './service.ts';

const events = containerd.events;

/** Topic → the full name of the message, and its class. */
export const TASK_EVENTS = {
  '/tasks/create': { name: 'containerd.events.TaskCreate', codec: events.TaskCreate },
  '/tasks/start': { name: 'containerd.events.TaskStart', codec: events.TaskStart },
  '/tasks/exec-added': { name: 'containerd.events.TaskExecAdded', codec: events.TaskExecAdded },
  '/tasks/exec-started': { name: 'containerd.events.TaskExecStarted', codec: events.TaskExecStarted },
  '/tasks/exit': { name: 'containerd.events.TaskExit', codec: events.TaskExit },
  '/tasks/delete': { name: 'containerd.events.TaskDelete', codec: events.TaskDelete },
  '/tasks/oom': { name: 'containerd.events.TaskOOM', codec: events.TaskOOM },
  '/tasks/paused': { name: 'containerd.events.TaskPaused', codec: events.TaskPaused },
  '/tasks/resumed': { name: 'containerd.events.TaskResumed', codec: events.TaskResumed },
  '/tasks/checkpointed': { name: 'containerd.events.TaskCheckpointed', codec: events.TaskCheckpointed },
} as const;

export type TaskTopic = keyof typeof TASK_EVENTS;
export type TaskEvent<T extends TaskTopic> = Encodable<(typeof TASK_EVENTS)[T]['codec']>;

export function taskEventAny<T extends TaskTopic>(topic: T, event: TaskEvent<T>): google.protobuf.Any {
  const { name, codec } = TASK_EVENTS[topic];
  return anyOf<TaskEvent<T>>(name, codec, event);
}
