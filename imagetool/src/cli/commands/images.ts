import { hostPlatform } from '../../image/platform.ts';
import { readListing } from '../../image/read-listing.ts';
import type { Command } from '../command.ts';
import { IMAGES, imageLines } from '../image-list.ts';

export const images: Command = {
  ...IMAGES,
  async run(context, args) {
    const lines = imageLines(await readListing(context.layout(), hostPlatform()), args, Date.now());
    if (lines.length > 0) context.print(lines.join('\n'));
    return 0;
  },
};
