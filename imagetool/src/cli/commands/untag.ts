import { ImageError } from '../../base/errors.ts';
import { formatReference, parseReference, withDefaultTag } from '../../reference/reference.ts';
import { addImage, removeName } from '../../store/refs.ts';
import type { Command } from '../command.ts';

export const untag: Command = {
  name: 'untag',
  usage: 'NAME[:TAG]…',
  summary: 'Take a name from an image and keep the image',
  options: [],
  positionals: [1, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const store = await context.store();
    for (const text of args.positionals) {
      const name = formatReference(withDefaultTag(parseReference(text)));
      const image = await removeName(store, name);
      if (image === undefined) throw new ImageError('no-image', `there is no image ${text} in the store`);
      await addImage(store, image);
    }
    return 0;
  },
};
