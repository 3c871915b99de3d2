/** What transfers tell while they run. The command line makes lines, bars or JSON of it. */

import type { Digest } from '../../../specs/image/digest.ts';

export type ProgressEvent =
  /** `total` bytes; `kept` are there from an earlier attempt. */
  | { readonly kind: 'start'; readonly digest: Digest; readonly total: number; readonly kept: number }
  | { readonly kind: 'bytes'; readonly digest: Digest; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly digest: Digest; readonly outcome: 'downloaded' | 'exists' | 'uploaded' | 'mounted' }
  | { readonly kind: 'note'; readonly text: string };

export type ProgressListener = (event: ProgressEvent) => void;
