import { findStoredImage } from '../../image/find.ts';
import { loadImage } from '../../image/load.ts';
import { hostPlatform, parsePlatform } from '../../image/platform.ts';
import { readVerified } from '../../store/blobs.ts';
import type { Command } from '../command.ts';
import { PLATFORM } from '../options.ts';

export const inspect: Command = {
  name: 'inspect',
  usage: '[OPTIONS] IMAGE…',
  summary: 'Print what images are made of',
  options: [
    PLATFORM,
    { name: 'raw', help: 'print the manifest or index, byte for byte' },
    { name: 'config', help: 'print the configuration' },
  ],
  positionals: [1, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const layout = context.layout();
    const platform = args.value('platform') === undefined ? hostPlatform() : parsePlatform(args.value('platform') ?? '');
    const found: object[] = [];
    for (const text of args.positionals) {
      const { name, descriptor } = await findStoredImage(layout, text);
      if (args.flag('raw')) {
        context.print((await readVerified(layout, descriptor)).toString('utf8'));
        continue;
      }
      const image = await loadImage(layout, descriptor, platform);
      if (args.flag('config')) found.push(image.config);
      else
        found.push({
          name: name ?? null,
          digest: descriptor.digest,
          id: image.manifest.config.digest,
          manifest: image.manifest,
          config: image.config,
        });
    }
    if (!args.flag('raw')) context.print(JSON.stringify(found, undefined, 2));
    return 0;
  },
};
