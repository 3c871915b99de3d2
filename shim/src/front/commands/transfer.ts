import { findStoredImage } from '../../../../imagetool/src/image/find.ts';
import { hostPlatform, parsePlatform } from '../../../../imagetool/src/image/platform.ts';
import { pushImage } from '../../../../imagetool/src/image/push.ts';
import { familiarReference, parseReference, repositoryName, withDefaultTag } from '../../../../imagetool/src/reference/reference.ts';
import { listTags } from '../../../../imagetool/src/registry/manifests.ts';
import { listImages } from '../../../../imagetool/src/store/refs.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import type { Command, Context } from '../context.ts';
import { layerProgress } from '../images/layer-progress.ts';
import { fullName, pullWithProgress } from '../images/pull-image.ts';

export const pull: Command = async (context, args) => {
  const given = parseReference(args.positionals[0] ?? '');
  const quiet = args.flag('quiet');
  const platform = args.has('platform') ? parsePlatform(args.value('platform') ?? '') : hostPlatform();
  const options = { platform, quiet, print: context.print };
  if (args.flag('all-tags')) {
    if (given.tag !== undefined || given.digest !== undefined) throw invalid("tag can't be used with --all-tags/-a");
    const client = await (await context.images()).client(given);
    for (const tag of await listTags(client, given.path)) await pullWithProgress(context, { ...given, tag }, options);
    return 0;
  }
  const reference = withDefaultTag(given);
  if (given.tag === undefined && given.digest === undefined && !quiet) context.print('Using default tag: latest');
  await pullWithProgress(context, reference, options);
  context.print(fullName(reference));
  return 0;
};

export const push: Command = async (context, args) => {
  const given = parseReference(args.positionals[0] ?? '');
  if (given.digest !== undefined) throw invalid('cannot push a digest reference');
  if (!args.flag('all-tags')) return await pushOne(context, args.positionals[0] ?? '', args.flag('quiet'));
  const { layout } = await context.store();
  const prefix = `${repositoryName(given)}:`;
  const names = listImages(layout).flatMap(({ name }) => (name?.startsWith(prefix) === true ? [name] : []));
  for (const name of names) await pushOne(context, name, args.flag('quiet'));
  return 0;
};

async function pushOne(context: Context, text: string, quiet: boolean): Promise<number> {
  const store = await context.store();
  const reference = withDefaultTag(parseReference(text));
  const stored = await findStoredImage(store.layout, text).catch(() => undefined);
  if (stored === undefined) {
    throw new ContainerError(
      'invalid',
      `An image does not exist locally with the tag: ${familiarReference({ domain: reference.domain, path: reference.path })}`,
    );
  }
  const { tag = 'latest' } = reference;
  if (!quiet) {
    if (parseReference(text).tag === undefined) context.print('Using default tag: latest');
    context.print(`The push refers to repository [${repositoryName(reference)}]`);
  }
  const client = await (await context.images()).client(reference);
  const onProgress = quiet ? () => undefined : layerProgress(context.print, true);
  const pushed = await pushImage({ store, client, reference: { ...reference, tag }, image: stored.descriptor, onProgress });
  context.print(quiet ? fullName(reference) : `${tag}: digest: ${pushed.digest} size: ${pushed.size}`);
  return 0;
}
