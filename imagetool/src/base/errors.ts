/**
 * The errors of the image tool. `code` is stable and names the kind of failure; the message names the operation and its object;
 * `hint` is what the reader can do about it, as a sentence.
 */

export interface ImageErrorOptions extends ErrorOptions {
  readonly hint?: string;
}

/** A failure that is the user's, the system's or a registry's, not ours. */
export class ImageError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: ImageErrorOptions = {}) {
    super(message, options);
    this.name = 'ImageError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** Whether an error is one of Node's system errors with one of these names (`ENOENT`). Not by `instanceof`: test runners have an Error of their own. */
export function isNodeError(error: unknown, ...names: readonly string[]): error is Error & { readonly code: string } {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && names.includes(error.code);
}
