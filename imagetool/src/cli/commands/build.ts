import { writeFileSync } from 'node:fs';
import { type BuildOptions, type Built, build } from '../../build/build.ts';
import { BuildProgress } from '../../build/progress/progress.ts';
import { parsePlatform } from '../../image/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../../reference/reference.ts';
import { addImage, setImage } from '../../store/refs.ts';
import type { ParsedArgs } from '../args.ts';
import { baseImage } from '../base-image.ts';
import { BUILD_OPTIONS, namedContexts, networkOf, pairsOf, providedBy } from '../build-options.ts';
import { buildView } from '../build-view.ts';
import type { Command, Context } from '../command.ts';
import { sourceEpoch } from '../epoch.ts';
import { withSignals } from '../signals.ts';

export const buildCommand: Command = {
  name: 'build',
  usage: '[OPTIONS] PATH|URL|-',
  summary: 'Build an image from a Dockerfile',
  options: BUILD_OPTIONS,
  positionals: [1, 1],
  async run(context, args) {
    const names = args.values('tag').map((name) => formatReference(withDefaultTag(parseReference(name))));
    return await withSignals(async (signal) => {
      const view = buildView(context, args);
      try {
        const options = await buildOptions(context, args, new BuildProgress(view.listener), signal);
        const digest = await build(options, (built) => finish(built, names, args));
        view.close();
        if (args.flag('quiet') || names.length === 0) context.print(digest);
      } finally {
        view.close();
      }
      return 0;
    });
  },
};

async function buildOptions(context: Context, args: ParsedArgs, progress: BuildProgress, signal: AbortSignal): Promise<BuildOptions> {
  const store = await context.store();
  const platform = args.value('platform');
  const epochSeconds = sourceEpoch(context.env);
  const [dockerfile, target] = [args.value('file'), args.value('target')];
  const buildArguments = pairsOf(args.values('build-arg'), context.env);
  if (epochSeconds !== undefined && !buildArguments.has('SOURCE_DATE_EPOCH')) buildArguments.set('SOURCE_DATE_EPOCH', String(epochSeconds));
  return {
    store,
    context: args.positionals[0] ?? '.',
    ...(dockerfile === undefined ? {} : { dockerfile }),
    input: () => process.stdin,
    named: namedContexts(args),
    ...(target === undefined ? {} : { target }),
    buildArguments,
    labels: pairsOf(args.values('label'), {}),
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    network: networkOf(args),
    hosts: args.values('add-host'),
    provided: providedBy(args, context.env),
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
    noCache: args.flag('no-cache') ? 'all' : new Set(args.values('no-cache-filter')),
    isNamespaced: false,
    explain: args.flag('explain'),
    progress,
    signal,
    loadImage: (reference, at, lease) =>
      progress.during(`[internal] load metadata for ${reference}`, (step) =>
        baseImage(reference, { context, store, lease, platform: at, pull: args.flag('pull'), note: (text) => step.note(text) }),
      ),
  };
}

async function finish({ image, session }: Built, names: readonly string[], args: ParsedArgs): Promise<string> {
  const { store, progress } = session.options;
  const { digest } = image.descriptor;
  await progress.during('exporting to image', async (step) => {
    if (names.length === 0) await addImage(store, image.descriptor);
    for (const name of names) {
      await setImage(store, name, image.descriptor);
      step.note(`naming to ${name} done`);
    }
    step.note(`writing image ${digest} done`);
  });
  const idFile = args.value('iidfile');
  if (idFile !== undefined) writeFileSync(idFile, digest);
  const metadataFile = args.value('metadata-file');
  if (metadataFile !== undefined) writeFileSync(metadataFile, `${JSON.stringify(metadata(image, names), undefined, 2)}\n`);
  return digest;
}

/** The keys that docker's builder writes. */
function metadata({ descriptor, manifest }: Built['image'], names: readonly string[]): object {
  return {
    'containerimage.digest': descriptor.digest,
    'containerimage.config.digest': manifest.config.digest,
    'containerimage.descriptor': descriptor,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}
