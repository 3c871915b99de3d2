/** Where the task service's events go. */
import type { Any } from '../../../specs/containerd/any.ts';

export type Topic =
  | '/tasks/create'
  | '/tasks/start'
  | '/tasks/exec-added'
  | '/tasks/exec-started'
  | '/tasks/exit'
  | '/tasks/delete'
  | '/tasks/oom'
  | '/tasks/paused'
  | '/tasks/resumed'
  | '/tasks/checkpointed';

export interface TaskEvent {
  readonly topic: Topic;
  /** Of `containerd.events`. */
  readonly event: Any;
}

export interface Publisher {
  /**
   * Takes an event, in the order in which subscribers shall have it. When this returns, the event is safe: it is delivered even if this process
   * is killed. It does not throw.
   */
  publish(event: TaskEvent): void;
}
