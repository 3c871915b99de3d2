import { RuntimeError } from '../base/errors.ts';

declare const CHECKED: unique symbol;

/** A name that is safe as one component of a path. */
export type ContainerId = string & { readonly [CHECKED]: 'container-id' };

/** What a file name can hold: the ID names the container's directory. */
const MAX_LENGTH = 255;

/**
 * Takes letters, digits, `_`, `+`, `-` and `.`, as runc does, and refuses `.` and `..`. Throws `RuntimeError` with the code `invalid-id`; callers
 * look for the text "invalid container ID format".
 */
export function parseContainerId(id: string): ContainerId {
  if (!/^[A-Za-z0-9_+.-]+$/.test(id) || id === '.' || id === '..' || id.length > MAX_LENGTH) {
    throw new RuntimeError('invalid-id', `invalid container ID format: ${JSON.stringify(id.slice(0, MAX_LENGTH))}`, {
      hint: `An ID is at most ${MAX_LENGTH} letters, digits and the characters _ + - . and is not "." or "..".`,
    });
  }
  return id as ContainerId;
}
