/** A ContainerError's way over the wire: a status has a code and a text, so the text is JSON of all that is to be known. */

import { StatusCode, StatusError } from '../base/status.ts';
import { ContainerError, type ContainerErrorCode } from './errors.ts';
import { messageOf } from './files.ts';

interface WireError {
  readonly code: ContainerErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly exitCode?: number;
}

export function toStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (!(error instanceof ContainerError)) return new StatusError(StatusCode.unknown, messageOf(error), error);
  const { code, message, hint, exitCode } = error;
  const wire: WireError = { code, message, ...(hint === undefined ? {} : { hint }), ...(exitCode === undefined ? {} : { exitCode }) };
  return new StatusError(StatusCode.failedPrecondition, JSON.stringify(wire), error);
}

/** Anything else stays what it is. */
export function fromStatus(error: unknown): unknown {
  if (!(error instanceof StatusError) || error.code !== StatusCode.failedPrecondition) return error;
  try {
    const wire = JSON.parse(error.message) as WireError;
    return new ContainerError(wire.code, wire.message, {
      cause: error,
      ...(wire.hint === undefined ? {} : { hint: wire.hint }),
      ...(wire.exitCode === undefined ? {} : { exitCode: wire.exitCode }),
    });
  } catch {
    return error;
  }
}
