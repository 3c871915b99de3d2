/** The names by which a layer says that something below it is gone (image-spec, layer.md#whiteouts). */

import { toText } from '../archive/byte-string.ts';
import { TarError } from '../archive/tar-entry.ts';

export const WHITEOUT_PREFIX = '.wh.';
export const OPAQUE_MARKER = '.wh..wh..opq';

export type Whiteout =
  /** The name is an ordinary one. */
  | { readonly kind: 'none' }
  /** What lower layers have by this name is gone. */
  | { readonly kind: 'remove'; readonly name: string }
  /** All that lower layers have in this directory is gone. */
  | { readonly kind: 'opaque' }
  /** Bookkeeping of aufs, with no meaning here. */
  | { readonly kind: 'ignore' };

const NONE: Whiteout = { kind: 'none' };

/** What a name (of one component) means. Throws TarError for a whiteout of nothing, or of `.` and `..`. */
export function readWhiteout(name: string): Whiteout {
  if (!name.startsWith(WHITEOUT_PREFIX)) return NONE;
  if (name === OPAQUE_MARKER) return { kind: 'opaque' };
  const removed = name.slice(WHITEOUT_PREFIX.length);
  if (removed.startsWith(WHITEOUT_PREFIX)) return { kind: 'ignore' };
  if (removed === '' || removed === '.' || removed === '..') throw new TarError(`${JSON.stringify(toText(name))} is a whiteout of nothing`);
  return { kind: 'remove', name: removed };
}
