import { pullImage } from '../../image/pull.ts';
import { familiarReference, formatReference, parseReference, type Reference, withDefaultTag } from '../../reference/reference.ts';
import { findImage } from '../../store/refs.ts';
import { type ParsedArgs, usage } from '../args.ts';
import type { Command, Context } from '../command.ts';
import { platformOf } from '../image-source.ts';
import { PARALLEL, PLATFORM, parallelOf, QUIET } from '../options.ts';

export const pull: Command = {
  name: 'pull',
  usage: '[OPTIONS] NAME[:TAG][@DIGEST]',
  summary: 'Fetch an image from a registry, going on where an earlier attempt stopped',
  options: [
    PLATFORM,
    { name: 'all', short: 'a', help: 'all platforms of the image' },
    { name: 'all-tags', help: 'all tags of the repository' },
    { name: 'unpack', help: 'unpack the layers while they come, for the containers of tsctl run and the steps of tsimg build' },
    PARALLEL,
    QUIET,
  ],
  positionals: [1, 1],
  async run(context, args) {
    const given = parseReference(args.positionals[0] ?? '');
    if (!args.flag('all-tags')) return await pullOne(context, args, withDefaultTag(given));
    if (given.tag !== undefined || given.digest !== undefined) throw usage('with --all-tags, give a name without tag and digest');
    const { listTags } = await import('../../registry/manifests.ts');
    for (const tag of await listTags(await context.client(given), given.path)) await pullOne(context, args, { ...given, tag });
    return 0;
  },
};

async function pullOne(context: Context, args: ParsedArgs, reference: Reference): Promise<number> {
  const store = await context.store();
  const before = findImage(store.layout, formatReference(reference));
  const image = await pullImage({
    store,
    client: await context.client(reference),
    reference,
    platform: args.flag('all') ? 'all' : platformOf(args),
    onProgress: args.flag('quiet') ? () => undefined : await context.progress(),
    ...(args.flag('unpack') ? { unpack: process.geteuid?.() === 0 ? 'root' : 'recorded' } : {}),
    ...parallelOf(args),
  });
  if (!args.flag('quiet')) {
    context.note(`Digest: ${image.digest}`);
    const status = before?.digest === image.digest ? 'Image is up to date for' : 'Downloaded newer image for';
    context.note(`Status: ${status} ${familiarReference(reference)}`);
  }
  context.print(formatReference(reference));
  return 0;
}
