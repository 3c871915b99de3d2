import { findStoredImage } from '../../image/find.ts';
import { pushImage } from '../../image/push.ts';
import { parseReference, withDefaultTag } from '../../reference/reference.ts';
import type { Command } from '../command.ts';
import { PARALLEL, parallelOf, QUIET } from '../options.ts';

export const push: Command = {
  name: 'push',
  usage: '[OPTIONS] IMAGE [NAME[:TAG]]',
  summary: 'Send an image to a registry, by its own name or by another',
  options: [PARALLEL, QUIET],
  positionals: [1, 2],
  async run(context, args) {
    const [source = '', target = source] = args.positionals;
    const store = await context.store();
    const { descriptor } = await findStoredImage(store.layout, source);
    const reference = withDefaultTag(parseReference(target));
    await pushImage({
      store,
      client: await context.client(reference),
      reference,
      image: descriptor,
      onProgress: args.flag('quiet') ? () => undefined : await context.progress(),
      ...parallelOf(args),
    });
    context.print(`${reference.tag ?? descriptor.digest}: digest: ${descriptor.digest} size: ${descriptor.size}`);
    return 0;
  },
};
