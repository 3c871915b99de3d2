/** Pulling with docker's words: a line a layer, redrawn on a terminal; then what was got. */

import type { ProgressListener } from '../../../../imagetool/src/image/progress.ts';
import { pullImage } from '../../../../imagetool/src/image/pull.ts';
import {
  familiarReference,
  familiarRepository,
  formatReference,
  type Reference,
  repositoryName,
} from '../../../../imagetool/src/reference/reference.ts';
import { findImage } from '../../../../imagetool/src/store/refs.ts';
import type { Descriptor, Platform } from '../../../../specs/image/descriptor.ts';
import { recordEvent } from '../../container/events.ts';
import type { Context } from '../context.ts';
import { layerProgress } from './layer-progress.ts';

export interface PullOptions {
  readonly platform: Platform;
  readonly quiet: boolean;
  /** Standard output for `pull`, standard error for `run`. */
  readonly print: (line: string) => void;
}

/** @throws ImageError, RegistryError, DigestError */
export async function pullWithProgress(context: Context, reference: Reference, options: PullOptions): Promise<Descriptor> {
  const store = await context.store();
  const images = await context.images();
  const name = formatReference(reference);
  const before = findImage(store.layout, name);
  const print = options.quiet ? () => undefined : options.print;
  const label = reference.tag ?? reference.digest ?? '';
  print(`${label}: Pulling from ${reference.path}`);
  const onProgress: ProgressListener = options.quiet ? () => undefined : layerProgress(options.print);
  const image = await pullImage({ store, client: await images.client(reference), reference, platform: options.platform, onProgress });
  print(`Digest: ${image.digest}`);
  const isSame = before?.digest === image.digest;
  print(`Status: ${isSame ? 'Image is up to date for' : 'Downloaded newer image for'} ${familiarReference(reference)}`);
  recordEvent(context.places, 'image', 'pull', { ID: familiarReference(reference), Attributes: { name: familiarRepository(reference) } });
  return image;
}

/** `docker.io/library/x:tag`, which docker prints last. */
export function fullName(reference: Reference): string {
  return `${repositoryName(reference)}${reference.digest === undefined ? `:${reference.tag ?? 'latest'}` : `@${reference.digest}`}`;
}
