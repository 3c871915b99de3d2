/** How a call of a service fails: a code that clients act on, and a text for people (google.rpc.Code; the same on ttrpc and gRPC). */

export const StatusCode = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

/** Thrown by a service's method; protocols send it as it is. */
export class StatusError extends Error {
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StatusError';
    this.code = code;
  }
}
