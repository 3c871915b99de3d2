import { hostPlatform, parsePlatform } from '../../image/platform.ts';
import { pullImage } from '../../image/pull.ts';
import { formatReference, parseReference, withDefaultTag } from '../../reference/reference.ts';
import { findImage } from '../../store/refs.ts';
import type { Command } from '../command.ts';
import { PARALLEL, PLATFORM, parallelOf, QUIET } from '../options.ts';

export const pull: Command = {
  name: 'pull',
  usage: '[OPTIONS] NAME[:TAG][@DIGEST]',
  summary: 'Fetch an image from a registry, going on where an earlier attempt stopped',
  options: [PLATFORM, { name: 'all', short: 'a', help: 'all platforms of the image' }, PARALLEL, QUIET],
  positionals: [1, 1],
  async run(context, args) {
    const reference = withDefaultTag(parseReference(args.positionals[0] ?? ''));
    const store = await context.store();
    const before = findImage(store.layout, formatReference(reference));
    const platformText = args.value('platform');
    const chosen = platformText === undefined ? hostPlatform() : parsePlatform(platformText);
    const image = await pullImage({
      store,
      client: await context.client(reference),
      reference,
      platform: args.flag('all') ? 'all' : chosen,
      onProgress: args.flag('quiet') ? () => undefined : await context.progress(),
      ...parallelOf(args),
    });
    if (!args.flag('quiet')) {
      context.note(`Digest: ${image.digest}`);
      context.note(
        `Status: ${before?.digest === image.digest ? 'Image is up to date for' : 'Downloaded newer image for'} ${args.positionals[0]}`,
      );
    }
    context.print(formatReference(reference));
    return 0;
  },
};
