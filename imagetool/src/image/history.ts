/** The steps an image was made in, newest first, each with the size of its layer. */

import { shortDigest } from '../digest/digest.ts';
import type { LoadedImage } from './load.ts';

export interface HistoryStep {
  /** The image id for the last step; the ids of those before are known to nobody. */
  readonly id: string;
  readonly created?: string;
  readonly createdBy: string;
  /** Bytes as stored, compressed; 0 for a step without a layer. */
  readonly size: number;
  readonly comment: string;
}

/** Layers that no line of history speaks of are listed too. */
export function imageHistory({ manifest, config }: LoadedImage): HistoryStep[] {
  const sizes = manifest.layers.map((layer) => layer.size);
  const steps = (config.history ?? []).map((entry) => ({
    ...(entry.created === undefined ? {} : { created: entry.created }),
    createdBy: entry.created_by ?? '',
    size: entry.empty_layer === true ? 0 : (sizes.shift() ?? 0),
    comment: entry.comment ?? '',
  }));
  const untold = sizes.map((size) => ({ createdBy: '', size, comment: '' }));
  return [...steps, ...untold]
    .reverse()
    .map((step, index) => ({ id: index === 0 ? shortDigest(manifest.config.digest) : '<missing>', ...step }));
}
