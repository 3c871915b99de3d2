import { createReadStream } from 'node:fs';
import type { Descriptor } from '../../../../specs/image/descriptor.ts';
import { changedConfig } from '../../image/config-changes.ts';
import { findStoredImage } from '../../image/find.ts';
import { appendArchive, emptyImage } from '../../image/import.ts';
import { type LoadedImage, loadImage } from '../../image/load.ts';
import type { Store } from '../../store/store.ts';
import type { Command, Context } from '../command.ts';
import { createdTime, sourceEpoch } from '../epoch.ts';
import { platformOf } from '../image-source.ts';
import { keepImage } from '../keep-image.ts';
import { CHANGE, PLATFORM } from '../options.ts';

export const append: Command = {
  name: 'append',
  usage: '[OPTIONS] IMAGE FILE|- [NAME[:TAG]]',
  summary: 'Make an image with one more layer, from a tar archive',
  options: [PLATFORM, CHANGE],
  positionals: [2, 3],
  async run(context, args) {
    const [base = '', file = '', name] = args.positionals;
    const load = async ({ layout }: Store) => await loadImage(layout, (await findStoredImage(layout, base)).descriptor, platformOf(args));
    return await addLayer(context, { load, file, name, createdBy: `tsimg append ${file}`, changes: args.values('change') });
  },
};

export const importCommand: Command = {
  name: 'import',
  usage: '[OPTIONS] FILE|- [NAME[:TAG]]',
  summary: 'Make an image of a tar archive of a file system',
  options: [PLATFORM, CHANGE],
  positionals: [1, 2],
  async run(context, args) {
    const [file = '', name] = args.positionals;
    return await addLayer(context, {
      load: async () => emptyImage(platformOf(args)),
      file,
      name,
      createdBy: `tsimg import ${file}`,
      changes: args.values('change'),
    });
  },
};

interface AddLayer {
  readonly load: (store: Store) => Promise<LoadedImage>;
  readonly file: string;
  readonly name: string | undefined;
  readonly createdBy: string;
  readonly changes: readonly string[];
}

async function addLayer(context: Context, { load, file, name, createdBy, changes }: AddLayer): Promise<number> {
  const store = await context.store();
  const base = await load(store);
  const source = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
  const image: Descriptor = await keepImage(store, name, (lease) =>
    appendArchive(store, lease, base, source, {
      created: createdTime(sourceEpoch(context.env)),
      createdBy,
      edit: (config) => changedConfig(config, changes),
    }),
  );
  context.print(image.digest);
  return 0;
}
