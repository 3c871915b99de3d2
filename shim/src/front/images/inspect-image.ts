/** An image as docker's inspect shows it. */

import { findStoredImage } from '../../../../imagetool/src/image/find.ts';
import { loadImage } from '../../../../imagetool/src/image/load.ts';
import { hostPlatform } from '../../../../imagetool/src/image/platform.ts';
import { familiarReference, familiarRepository, parseReference } from '../../../../imagetool/src/reference/reference.ts';
import { listImages } from '../../../../imagetool/src/store/refs.ts';
import { openLayout } from '../../../../imagetool/src/store/store.ts';
import type { ContainerConfig } from '../../../../specs/image/config.ts';
import type { Context } from '../context.ts';

export interface InspectedImage {
  readonly Created: string;
  readonly Config: ContainerConfig;
  readonly [name: string]: unknown;
}

/** @throws ImageError no-image */
export async function inspectImage(context: Context, text: string): Promise<InspectedImage> {
  const layout = openLayout(context.places.root);
  const { descriptor } = await findStoredImage(layout, text);
  const { manifest, config } = await loadImage(layout, descriptor, hostPlatform());
  const names = listImages(layout).flatMap(({ name, descriptor: one }) =>
    one.digest === descriptor.digest && name !== undefined ? [parseReference(name)] : [],
  );
  return {
    Id: manifest.config.digest,
    RepoTags: names.map(familiarReference),
    RepoDigests: [...new Set(names.map((name) => `${familiarRepository(name)}@${descriptor.digest}`))],
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Config: config.config ?? {},
    Architecture: config.architecture,
    Os: config.os,
    Size: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: {},
  };
}
