import { findStoredImage } from '../../image/find.ts';
import { hostPlatform, parsePlatform } from '../../image/platform.ts';
import { unpackBundle } from '../../image/unpack-bundle.ts';
import type { Command } from '../command.ts';
import { PLATFORM } from '../options.ts';

export const unpack: Command = {
  name: 'unpack',
  usage: '[OPTIONS] IMAGE DIR [-- COMMAND…]',
  summary: 'Make an OCI runtime bundle of an image: DIR/config.json and DIR/rootfs',
  options: [PLATFORM, { name: 'rootless', help: 'record owners in xattrs, as is done for everybody but root' }],
  positionals: [2, 2],
  async run(context, args) {
    const [text = '', directory = ''] = args.positionals;
    const store = await context.store();
    const { name, descriptor } = await findStoredImage(store.layout, text);
    const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
    const { warnings } = await unpackBundle({
      store,
      image: descriptor,
      directory,
      platform: args.value('platform') === undefined ? hostPlatform() : parsePlatform(args.value('platform') ?? ''),
      ...(name === undefined ? {} : { name }),
      ...(uid === 0 && !args.flag('rootless') ? {} : { rootless: { uid, gid } }),
      ...(args.rest === undefined ? {} : { args: args.rest }),
    });
    for (const warning of warnings) context.note(`warning: ${warning}`);
    return 0;
  },
};
