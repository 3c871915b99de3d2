import { array, boolean, integer, object, oneOf, optional, string, uint32, uint64 } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';
import { Capabilities } from './linux/capabilities.ts';
import { ExecCPUAffinity, IoPriority, Scheduler } from './linux/scheduling.ts';

/** The size of the terminal in characters; ignored unless `terminal` is true (`config.md#process`). */
export const ConsoleSize = object({ height: uint64, width: uint64 }, { section: 'config.md#process' });
export interface ConsoleSize extends Infer<typeof ConsoleSize> {}

/** Who the process runs as (`config.md#posix-platform-user`). Ids are those of the container's user namespace. */
export const User = object(
  {
    uid: optional(uint32),
    gid: optional(uint32),
    /** File mode creation mask. Absent: the runtime's choice. */
    umask: optional(uint32),
    additionalGids: optional(array(uint32)),
    /** Windows only. */
    username: optional(string),
  },
  { section: 'config.md#posix-platform-user' },
);
export interface User extends Infer<typeof User> {}

/** The resources of getrlimit(2); a name's index is the kernel's number. */
export const RLIMIT_TYPES = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
] as const;
export type RlimitType = (typeof RLIMIT_TYPES)[number];

/** One resource limit; `RLIM_INFINITY` is 18446744073709551615 (`config.md#posix-process`). */
export const Rlimit = object({ type: oneOf(RLIMIT_TYPES), soft: uint64, hard: uint64 }, { section: 'config.md#posix-process' });
export interface Rlimit extends Infer<typeof Rlimit> {}

/** The container's process, or a process to execute in a running container (`config.md#process`). */
export const Process = object(
  {
    /** Whether a pseudo-terminal becomes the standard streams. */
    terminal: optional(boolean),
    consoleSize: optional(ConsoleSize),
    user: optional(User),
    /** The command and its arguments; the first is looked up as `execvp` does. */
    args: optional(array(string)),
    /** Windows only. */
    commandLine: optional(string),
    /** `NAME=value` strings. */
    env: optional(array(string)),
    /** Working directory, absolute. */
    cwd: string,
    capabilities: optional(Capabilities),
    rlimits: optional(array(Rlimit)),
    noNewPrivileges: optional(boolean),
    apparmorProfile: optional(string),
    /** Absent: `oom_score_adj` is left as it is. The kernel's range is -1000 to 1000. */
    oomScoreAdj: optional(integer(-1000, 1000)),
    scheduler: optional(Scheduler),
    selinuxLabel: optional(string),
    ioPriority: optional(IoPriority),
    /** Applies to `exec` only, not to the container's init. */
    execCPUAffinity: optional(ExecCPUAffinity),
  },
  { section: 'config.md#process' },
);
export interface Process extends Infer<typeof Process> {}
