import { findStoredImage } from '../../image/find.ts';
import { saveImages } from '../../image/save.ts';
import type { Command } from '../command.ts';
import { platformOf } from '../image-source.ts';
import { PLATFORM } from '../options.ts';
import { archiveOutput, OUTPUT } from '../output-file.ts';

export const save: Command = {
  name: 'save',
  usage: '[OPTIONS] IMAGE…',
  summary: 'Write images to an archive that docker load, skopeo and tsimg load read',
  options: [OUTPUT, PLATFORM],
  positionals: [1, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const layout = context.layout();
    const write = archiveOutput(args);
    const images = await Promise.all(args.positionals.map((text) => findStoredImage(layout, text)));
    await write(saveImages(layout, images, platformOf(args)));
    return 0;
  },
};
