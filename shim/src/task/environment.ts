/** What the tasks of a shim are given: nothing of the outside world is taken from anywhere else. */
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Poller } from '../base/poller.ts';
import type { Publisher } from '../events/publisher.ts';
import type { Operator } from './operations/operation.ts';

export interface TaskEnvironment {
  /** Of the thread that the service runs on. */
  readonly sys: Sys;
  readonly poller: Poller;
  readonly operator: Operator;
  readonly publisher: Publisher;
  /** containerd's, of all tasks of this shim. */
  readonly namespace: string;
  /** Where shims keep what they know of their tasks; a directory for this namespace. Best on a tmpfs that is gone after a boot: `/run/…`. */
  readonly stateDirectory: string;
  /** Where the runtime keeps its state when a create does not say so; each namespace has a directory in it. */
  readonly runtimeRoot: string;
  readonly warn: (message: string) => void;
}
