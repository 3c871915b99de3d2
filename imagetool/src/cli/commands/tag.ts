import { findStoredImage } from '../../image/find.ts';
import { formatReference, parseReference, withDefaultTag } from '../../reference/reference.ts';
import { setImage } from '../../store/refs.ts';
import { usage } from '../args.ts';
import type { Command } from '../command.ts';

export const tag: Command = {
  name: 'tag',
  usage: 'IMAGE NAME[:TAG]',
  summary: 'Give an image another name',
  options: [],
  positionals: [2, 2],
  async run(context, args) {
    const [source = '', target = ''] = args.positionals;
    const store = await context.store();
    const reference = withDefaultTag(parseReference(target));
    if (reference.digest !== undefined) throw usage('an image cannot be given a name with a digest');
    const { descriptor } = await findStoredImage(store.layout, source);
    await setImage(store, formatReference(reference), descriptor);
    return 0;
  },
};
