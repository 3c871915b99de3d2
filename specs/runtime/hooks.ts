import { array, deprecated, integer, object, optional, string } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';

/** A program run at a point of the lifecycle, with the container's state on its standard input (`config.md#posix-platform-hooks`). */
export const Hook = object(
  {
    /** Absolute. */
    path: string,
    /** The whole argv, `args[0]` included. */
    args: optional(array(string)),
    env: optional(array(string)),
    /** Seconds, after which the hook is killed and counts as failed. */
    timeout: optional(integer(1, 0x7fffffff)),
  },
  { section: 'config.md#posix-platform-hooks' },
);
export interface Hook extends Infer<typeof Hook> {}

/** The lists of hooks, in the order of the lifecycle (`config.md#posix-platform-hooks`). */
export const Hooks = object(
  {
    /** Path and execution in the runtime's namespaces, during create. */
    prestart: deprecated(array(Hook), 'use createRuntime, createContainer or startContainer'),
    /** Path and execution in the runtime's namespaces, during create, after `prestart`. */
    createRuntime: optional(array(Hook)),
    /** Path in the runtime's, execution in the container's namespaces, during create, before the root is changed. */
    createContainer: optional(array(Hook)),
    /** Path and execution in the container's namespaces, during start, before the program. */
    startContainer: optional(array(Hook)),
    /** Path and execution in the runtime's namespaces, during start, after the program was executed. */
    poststart: optional(array(Hook)),
    /** Path and execution in the runtime's namespaces, during delete. */
    poststop: optional(array(Hook)),
  },
  { section: 'config.md#posix-platform-hooks' },
);
export interface Hooks extends Infer<typeof Hooks> {}

/** The names of the hooks in the order in which they run. */
export const HOOK_NAMES = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
export type HookName = (typeof HOOK_NAMES)[number];
