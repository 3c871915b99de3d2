import type { Command } from '../command.ts';
import { imageSource, platformOf, REMOTE } from '../image-source.ts';
import { PLATFORM } from '../options.ts';

export const inspect: Command = {
  name: 'inspect',
  usage: '[OPTIONS] IMAGE…',
  summary: 'Print what images are made of',
  options: [
    PLATFORM,
    REMOTE,
    { name: 'raw', help: 'print the manifest or index, byte for byte' },
    { name: 'config', help: 'print the configuration' },
  ],
  positionals: [1, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const platform = platformOf(args);
    const found: object[] = [];
    for (const text of args.positionals) {
      const source = await imageSource(context, args, text);
      if (args.flag('raw')) {
        context.print((await source.raw()).toString('utf8'));
        continue;
      }
      const image = await source.load(platform);
      if (args.flag('config')) found.push(image.config);
      else
        found.push({
          name: source.name ?? null,
          digest: source.descriptor.digest,
          id: image.manifest.config.digest,
          manifest: image.manifest,
          config: image.config,
        });
    }
    if (!args.flag('raw')) context.print(JSON.stringify(found, undefined, 2));
    return 0;
  },
};
