/**
 * The errors of the runtime. Each says what failed, on which object, from which place of the configuration, and keeps its cause.
 * Callers (containerd, podman, docker, cri-o) classify failures by parts of these texts: see `runtime/README.md`, "The error contract".
 */

export interface ErrorDetails {
  /** The place in config.json, or the flag, that asked for the failed thing: `mounts[3].options[1]`, `--cgroup`. */
  readonly configPath?: string;
  /** What the reader can do about it, as a sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure that is the user's or the system's, not ours. `code` is stable; the text may get better. */
export class RuntimeError extends Error {
  readonly code: string;
  readonly configPath: string | undefined;
  readonly hint: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RuntimeError';
    this.code = code;
    this.configPath = details.configPath;
    this.hint = details.hint;
  }
}

export interface SyscallFailure extends ErrorDetails {
  readonly syscall: string;
  /** Positive errno. */
  readonly errno: number;
  /** The object of the call: a path, a pid, a descriptor's meaning. */
  readonly object?: string;
  /** The step of the plan in which the call was made. */
  readonly step?: string;
}

/**
 * A system call that failed. The text ends in libc's own words for the errno ("no such file or directory"), since callers look for them.
 */
export class SyscallError extends RuntimeError {
  readonly syscall: string;
  readonly errno: number;
  readonly object: string | undefined;
  readonly step: string | undefined;

  constructor(failure: SyscallFailure, text: string) {
    super('syscall', text, failure);
    this.name = 'SyscallError';
    this.syscall = failure.syscall;
    this.errno = failure.errno;
    this.object = failure.object;
    this.step = failure.step;
  }
}
