import type { LayerCompression } from '../../../../specs/image/media-types.ts';
import { bundleChanges, bundleLayer } from '../../image/bundle-changes.ts';
import { updateBundleRecord } from '../../image/bundle-record.ts';
import { commitImage, storeLayer } from '../../image/commit.ts';
import { changedConfig } from '../../image/config-changes.ts';
import { loadImage } from '../../image/load.ts';
import { hostPlatform } from '../../image/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../../reference/reference.ts';
import { LEASE_MS, takeLease } from '../../store/leases.ts';
import { addImage, setImage } from '../../store/refs.ts';
import { usage } from '../args.ts';
import type { Command } from '../command.ts';
import { createdTime, sourceEpoch } from '../epoch.ts';
import { CHANGE } from '../options.ts';

export const commit: Command = {
  name: 'commit',
  usage: '[OPTIONS] BUNDLE [NAME[:TAG]]',
  summary: 'Make an image of a bundle: its image, and a layer with what has changed since',
  options: [
    { name: 'author', short: 'a', value: 'AUTHOR', help: 'who made it' },
    { name: 'message', short: 'm', value: 'TEXT', help: 'a comment for the history' },
    CHANGE,
    { name: 'compress', value: 'gzip|zstd|none', help: 'how the layer is stored (default gzip)' },
  ],
  positionals: [1, 2],
  async run(context, args) {
    const [directory = '', name] = args.positionals;
    const compression = args.value('compress') ?? 'gzip';
    if (!isCompression(compression)) throw usage(`--compress cannot be ${compression}`);
    const reference = name === undefined ? undefined : withDefaultTag(parseReference(name));
    const store = await context.store();
    const found = bundleChanges(store.sys, directory);
    const base = await loadImage(store.layout, found.base.image, hostPlatform());
    const epoch = sourceEpoch(context.env);
    const lease = await takeLease(store, { id: `commit-${process.pid}`, expiresInMs: LEASE_MS });
    try {
      const layer = found.changes.length === 0 ? undefined : await storeLayer(store, lease, bundleLayer(found, epoch), compression);
      const [author, comment] = [args.value('author'), args.value('message')];
      const image = await commitImage(store, lease, base, layer, {
        created: createdTime(epoch),
        createdBy: 'tsimg commit',
        edit: (config) => changedConfig(config, args.values('change')),
        ...(author === undefined ? {} : { author }),
        ...(comment === undefined ? {} : { comment }),
      });
      if (reference === undefined) await addImage(store, image);
      else await setImage(store, formatReference(reference), image);
      // The next commit of the bundle starts from here.
      updateBundleRecord(directory, found.changes, { ...found.base, image });
      context.print(image.digest);
      return 0;
    } finally {
      lease.release();
    }
  },
};

function isCompression(text: string): text is LayerCompression {
  return text === 'gzip' || text === 'zstd' || text === 'none';
}
