import { copyImage } from '../../image/copy.ts';
import { parsePlatform } from '../../image/platform.ts';
import { parseReference, withDefaultTag } from '../../reference/reference.ts';
import type { Command } from '../command.ts';
import { PARALLEL, PLATFORM, parallelOf, QUIET } from '../options.ts';

export const copy: Command = {
  name: 'copy',
  usage: '[OPTIONS] SOURCE TARGET',
  summary: 'Copy an image, with all its platforms, from one registry to another',
  options: [{ ...PLATFORM, help: 'only this platform' }, PARALLEL, QUIET],
  positionals: [2, 2],
  async run(context, args) {
    const [from = '', to = ''] = args.positionals.map((text) => text.replace(/^docker:\/\//, ''));
    const source = withDefaultTag(parseReference(from));
    const target = withDefaultTag(parseReference(to));
    const platform = args.value('platform');
    const image = await copyImage({
      store: await context.store(),
      source: { client: await context.client(source), reference: source },
      target: { client: await context.client(target), reference: target },
      platform: platform === undefined ? 'all' : parsePlatform(platform),
      onProgress: args.flag('quiet') ? () => undefined : await context.progress(),
      ...parallelOf(args),
    });
    context.print(image.digest);
    return 0;
  },
};
