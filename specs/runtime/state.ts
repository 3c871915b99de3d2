import { array, integer, object, oneOf, optional, string } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';
import { Annotations } from './config.ts';

/** The statuses of the specification, and `paused`, which it allows runtimes to add (`runtime.md#state`). */
export const STATUSES = ['creating', 'created', 'running', 'paused', 'stopped'] as const;
export type Status = (typeof STATUSES)[number];

/** The state of a container, as `state` prints it and hooks read it (`runtime.md#state`). */
export const State = object(
  {
    ociVersion: string,
    id: string,
    status: oneOf(STATUSES),
    /** Required when created or running; as seen by the reader. */
    pid: optional(integer(0, 0x7fffffff)),
    /** Absolute path of the bundle directory. */
    bundle: string,
    annotations: optional(Annotations),
  },
  { section: 'runtime.md#state' },
);
export interface State extends Infer<typeof State> {}

/** What a seccomp agent is sent with the notification descriptor (`config-linux.md#the-container-process-state`). */
export const ContainerProcessState = object(
  {
    ociVersion: string,
    /** The names of the descriptors passed, in their order. */
    fds: optional(array(string)),
    /** As seen by the runtime. */
    pid: integer(0, 0x7fffffff),
    metadata: optional(string),
    state: State,
  },
  { section: 'config-linux.md#the-container-process-state' },
);
export interface ContainerProcessState extends Infer<typeof ContainerProcessState> {}

/** The name, in `fds`, of the seccomp notification descriptor. */
export const SECCOMP_FD_NAME = 'seccompFd';
