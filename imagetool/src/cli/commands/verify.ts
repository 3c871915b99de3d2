import type { Descriptor } from '../../../../specs/image/descriptor.ts';
import { DigestError } from '../../digest/digest.ts';
import { findStoredImage } from '../../image/find.ts';
import { hasBlob, openVerified } from '../../store/blobs.ts';
import type { Layout } from '../../store/layout.ts';
import { reachableFrom } from '../../store/reachable.ts';
import { listImages } from '../../store/refs.ts';
import type { Command } from '../command.ts';

export const verify: Command = {
  name: 'verify',
  usage: '[IMAGE…]',
  summary: 'Read every byte of images (of all, by default) and compare with their digests',
  options: [],
  positionals: [0, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const layout = context.layout();
    const images =
      args.positionals.length === 0 ? listImages(layout) : await Promise.all(args.positionals.map((text) => findStoredImage(layout, text)));
    const { descriptors, unread } = await reachableFrom(
      layout,
      images.map((image) => image.descriptor),
    );
    let problems = 0;
    for (const descriptor of descriptors.values()) {
      const problem = await problemOf(layout, descriptor);
      if (problem !== undefined) {
        problems += 1;
        context.note(problem);
      }
    }
    const missing = unread.filter((one) => !hasBlob(layout, one.digest)).length;
    context.print(
      `${descriptors.size - missing} blobs read, ${problems} damaged${missing === 0 ? '' : `, ${missing} images of other platforms not in the store`}`,
    );
    return problems === 0 ? 0 : 1;
  },
};

async function problemOf(layout: Layout, descriptor: Descriptor): Promise<string | undefined> {
  if (!hasBlob(layout, descriptor.digest)) return descriptor.platform === undefined ? `blob ${descriptor.digest} is missing` : undefined;
  try {
    for await (const _ of openVerified(layout, descriptor));
    return undefined;
  } catch (error) {
    if (error instanceof DigestError) return error.message;
    throw error;
  }
}
