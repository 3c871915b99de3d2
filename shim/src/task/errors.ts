/** Failures of the runtime's library as statuses that containerd, docker and kubelet classify (errdefs; docker's `translateContainerdStartErr`). */

import { RuntimeError } from '../../../runtime/src/base/errors.ts';
import { messageOf } from '../base/node-error.ts';
import { StatusCode, StatusError } from '../base/status.ts';

const CODES: Readonly<Record<string, StatusCode>> = {
  exists: StatusCode.alreadyExists,
  'not-found': StatusCode.notFound,
  'invalid-id': StatusCode.invalidArgument,
  'invalid-config': StatusCode.invalidArgument,
  'exec-args': StatusCode.invalidArgument,
  'exec-cap': StatusCode.invalidArgument,
  signal: StatusCode.invalidArgument,
  console: StatusCode.invalidArgument,
  'mount-target': StatusCode.invalidArgument,
  status: StatusCode.failedPrecondition,
  'not-running': StatusCode.failedPrecondition,
  'not-paused': StatusCode.failedPrecondition,
  'still-running': StatusCode.failedPrecondition,
  'cgroup-missing': StatusCode.failedPrecondition,
  checkpoint: StatusCode.invalidArgument,
  'criu-missing': StatusCode.unimplemented,
  'criu-old': StatusCode.unimplemented,
  'criu-feature': StatusCode.unimplemented,
  'not-supported': StatusCode.unimplemented,
  'mount-loop': StatusCode.unimplemented,
  busy: StatusCode.unavailable,
  closed: StatusCode.unavailable,
};

/**
 * @param verb as in "OCI runtime create failed", which the users of docker and nerdctl know; their tools look for libc's words for the errno and for
 *   "executable file not found in $PATH" in what follows
 */
export function statusOf(verb: string, error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (!(error instanceof RuntimeError)) {
    return new StatusError(StatusCode.internal, `${verb} failed by a mistake in the shim: ${messageOf(error)}`, error);
  }
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  return new StatusError(CODES[error.code] ?? StatusCode.unknown, `OCI runtime ${verb} failed: ${error.message}${hint}`, error);
}

export function notFound(what: string): StatusError {
  return new StatusError(StatusCode.notFound, `${what}: not found`);
}

export function alreadyExists(what: string): StatusError {
  return new StatusError(StatusCode.alreadyExists, `${what}: already exists`);
}

export function wrongState(what: string): StatusError {
  return new StatusError(StatusCode.failedPrecondition, what);
}

export function invalid(what: string, cause?: unknown): StatusError {
  return new StatusError(StatusCode.invalidArgument, what, cause);
}
