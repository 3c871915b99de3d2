import { storedSource } from '../../image/source.ts';
import { squashImage } from '../../image/squash.ts';
import type { Command } from '../command.ts';
import { createdTime, sourceEpoch } from '../epoch.ts';
import { platformOf } from '../image-source.ts';
import { keepImage } from '../keep-image.ts';
import { PLATFORM } from '../options.ts';

export const squash: Command = {
  name: 'squash',
  usage: '[OPTIONS] IMAGE [NAME[:TAG]]',
  summary: 'Make an image of one layer with the files of all layers of another',
  options: [PLATFORM],
  positionals: [1, 2],
  async run(context, args) {
    const [text = '', name] = args.positionals;
    const store = await context.store();
    const source = await storedSource(store.layout, text);
    const epochSeconds = sourceEpoch(context.env);
    const image = await keepImage(store, name, (lease) =>
      squashImage(store, lease, source, platformOf(args), {
        created: createdTime(epochSeconds),
        createdBy: 'tsimg squash',
        ...(epochSeconds === undefined ? {} : { epochSeconds }),
      }),
    );
    context.print(image.digest);
    return 0;
  },
};
