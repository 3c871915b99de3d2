import { ImageError } from '../../base/errors.ts';
import { collectAllGarbage } from '../../image/collect-garbage.ts';
import { findStoredImage } from '../../image/find.ts';
import { listImages, removeImage, removeName } from '../../store/refs.ts';
import type { Command } from '../command.ts';

export const rmi: Command = {
  name: 'rmi',
  usage: '[OPTIONS] IMAGE…',
  summary: 'Remove images; what nothing else needs is deleted',
  options: [
    { name: 'force', short: 'f', help: 'by id, also an image with several names' },
    { name: 'no-prune', help: 'leave the content to the next gc' },
  ],
  positionals: [1, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const store = await context.store();
    for (const text of args.positionals) {
      const found = await findStoredImage(store.layout, text);
      const names = listImages(store.layout).filter((one) => one.descriptor.digest === found.descriptor.digest && one.name !== undefined);
      const isById = found.name === undefined || /^(?:sha256:)?[a-f0-9]+$/.test(text);
      if (isById && names.length > 1 && !args.flag('force')) {
        throw new ImageError('conflict', `${text} has ${names.length} names: remove them one by one, or use --force`);
      }
      const removed = isById || found.name === undefined ? await removeImage(store, found.descriptor.digest) : await removeOne(found.name);
      for (const one of removed) context.print(`Untagged: ${one.name ?? one.descriptor.digest}`);
    }
    if (!args.flag('no-prune')) for (const { digest } of (await collectAllGarbage(store)).removed) context.print(`Deleted: ${digest}`);
    return 0;

    async function removeOne(name: string): Promise<{ name: string; descriptor: { digest: string } }[]> {
      const descriptor = await removeName(store, name);
      return descriptor === undefined ? [] : [{ name, descriptor }];
    }
  },
};
