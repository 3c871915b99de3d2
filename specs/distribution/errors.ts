/** Error codes and bodies of distribution-spec 1.1 ("Error Codes"), and the two more that docker's registry uses. */

export const DISTRIBUTION_ERROR = {
  BLOB_UNKNOWN: 'blob unknown to registry',
  BLOB_UPLOAD_INVALID: 'blob upload invalid',
  BLOB_UPLOAD_UNKNOWN: 'blob upload unknown to registry',
  DIGEST_INVALID: 'provided digest did not match uploaded content',
  MANIFEST_BLOB_UNKNOWN: 'manifest references a manifest or blob unknown to registry',
  MANIFEST_INVALID: 'manifest invalid',
  MANIFEST_UNKNOWN: 'manifest unknown to registry',
  NAME_INVALID: 'invalid repository name',
  NAME_UNKNOWN: 'repository name not known to registry',
  SIZE_INVALID: 'provided length did not match content length',
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  UNSUPPORTED: 'the operation is unsupported',
  TOOMANYREQUESTS: 'too many requests',
  RANGE_INVALID: 'invalid content range',
  UNKNOWN: 'unknown error',
} as const;

export type DistributionErrorCode = keyof typeof DISTRIBUTION_ERROR;

export interface DistributionError {
  readonly code: string;
  readonly message?: string;
  readonly detail?: unknown;
}

/** The errors in an answer's body. Registries and the proxies before them answer with any text at all: then, and for odd entries, the list is empty. */
export function parseDistributionErrors(body: string): DistributionError[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return [];
  }
  if (typeof value !== 'object' || value === null || !('errors' in value) || !Array.isArray(value.errors)) return [];
  return value.errors.flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null || !('code' in one) || typeof one.code !== 'string') return [];
    return [
      {
        code: one.code,
        ...('message' in one && typeof one.message === 'string' ? { message: one.message } : {}),
        ...('detail' in one && one.detail !== undefined ? { detail: one.detail } : {}),
      },
    ];
  });
}

/** `GET /v2/<name>/tags/list`. */
export interface TagList {
  readonly name: string;
  readonly tags: readonly string[] | null;
}

/** `GET /v2/_catalog`, an extension of docker's registry that most others serve as well. */
export interface Catalog {
  readonly repositories: readonly string[] | null;
}
