import { findStoredImage } from '../../image/find.ts';
import { pushImage } from '../../image/push.ts';
import { parseReference, withDefaultTag } from '../../reference/reference.ts';
import type { Command } from '../command.ts';
import { parallelOf } from '../options.ts';
import { PUSH, pushedLine } from '../push-form.ts';

export const push: Command = {
  ...PUSH,
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
    context.print(pushedLine(reference, descriptor));
    return 0;
  },
};
