/** Failures of registries, in words for people and codes for programs. */

import { type DistributionError, parseDistributionErrors } from '../../../specs/distribution/errors.ts';
import { ImageError } from '../base/errors.ts';

export type RegistryErrorCode = 'unauthorized' | 'denied' | 'not-found' | 'too-many-requests' | 'unreachable' | 'registry';

/** `status` is the HTTP status; undefined when there was no answer. */
export class RegistryError extends ImageError {
  readonly status: number | undefined;
  readonly errors: readonly DistributionError[];

  constructor(
    code: RegistryErrorCode,
    message: string,
    details: ErrorOptions & { hint?: string; status?: number; errors?: readonly DistributionError[] } = {},
  ) {
    super(code, message, details);
    this.name = 'RegistryError';
    this.status = details.status;
    this.errors = details.errors ?? [];
  }
}

const CODES: ReadonlyMap<number, RegistryErrorCode> = new Map([
  [401, 'unauthorized'],
  [403, 'denied'],
  [404, 'not-found'],
  [429, 'too-many-requests'],
]);

/** The error that an answer is. `what` says what was asked: "manifest localhost:5000/a:1". */
export function errorFromAnswer(what: string, status: number, body: string): RegistryError {
  const errors = parseDistributionErrors(body);
  const code = CODES.get(status) ?? 'registry';
  const said = errors.map((one) => [one.code, one.message].filter((text) => text !== undefined && text !== '').join(': ')).join('; ');
  const plain = body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
  const reason = said || plain;
  const hint = code === 'unauthorized' || code === 'denied' ? 'The repository may not exist, or may need: tsimg login.' : undefined;
  return new RegistryError(code, `${what}: the registry answered ${status}${reason === '' ? '' : ` (${reason})`}`, {
    status,
    errors,
    ...(hint === undefined ? {} : { hint }),
  });
}
