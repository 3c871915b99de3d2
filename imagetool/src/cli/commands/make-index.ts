import type { Descriptor } from '../../../../specs/image/descriptor.ts';
import { MAX_MANIFEST_BYTES, parseManifestDocument } from '../../../../specs/image/manifest.ts';
import { OCI } from '../../../../specs/image/media-types.ts';
import { storeJson } from '../../image/commit.ts';
import { findStoredImage } from '../../image/find.ts';
import { loadImage } from '../../image/load.ts';
import { hostPlatform } from '../../image/platform.ts';
import { readVerified } from '../../store/blobs.ts';
import type { Layout } from '../../store/layout.ts';
import type { Command } from '../command.ts';
import { keepImage } from '../keep-image.ts';

export const indexCommand: Command = {
  name: 'index',
  usage: 'NAME[:TAG] IMAGE…',
  summary: 'Make an index of images of several platforms; an IMAGE that is an index adds all of its own',
  options: [],
  positionals: [2, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const [name, ...sources] = args.positionals;
    const store = await context.store();
    const entries = new Map<string, Descriptor>();
    for (const source of sources) {
      const { descriptor } = await findStoredImage(store.layout, source);
      for (const entry of await entriesOf(store.layout, descriptor)) entries.set(entry.digest, entry);
    }
    const manifests = [...entries.values()];
    const image = await keepImage(store, name, (lease) =>
      storeJson(store, lease, OCI.index, { schemaVersion: 2, mediaType: OCI.index, manifests }),
    );
    context.print(image.digest);
    return 0;
  },
};

async function entriesOf(layout: Layout, descriptor: Descriptor): Promise<Descriptor[]> {
  const document = parseManifestDocument(await readVerified(layout, descriptor, MAX_MANIFEST_BYTES), descriptor.mediaType);
  if (document.kind === 'index') return document.index.manifests;
  const { config } = await loadImage(layout, descriptor, hostPlatform());
  const { mediaType, digest, size } = descriptor;
  const { os, architecture, variant } = config;
  return [{ mediaType, digest, size, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }];
}
