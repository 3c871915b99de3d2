/** From the command line to what is to be built; `build` and `debug` have the same options. */

import type { Platform } from '../../../specs/image/descriptor.ts';
import type { BuildOptions } from '../build/build.ts';
import type { BuildProgress } from '../build/progress/progress.ts';
import { isNamespaced } from '../build/rootless/namespaced.ts';
import { formatPlatform, parsePlatform } from '../image/platform.ts';
import type { ParsedArgs } from './args.ts';
import { baseConfig, baseImage } from './base-image.ts';
import { cacheSources, cacheTargets } from './build-cache.ts';
import { namedContexts, networkOf, pairsOf, providedBy } from './build-options.ts';
import type { Context } from './command.ts';
import { sourceEpoch } from './epoch.ts';

export interface BuildRequest {
  readonly path: string;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
}

/** Throws ImageError `usage`. */
export async function buildOptions(context: Context, args: ParsedArgs, { path, progress, signal }: BuildRequest): Promise<BuildOptions> {
  const store = await context.store();
  const epochSeconds = sourceEpoch(context.env);
  const [dockerfile, target] = [args.value('file'), args.value('target')];
  return {
    store,
    context: path,
    ...(dockerfile === undefined ? {} : { dockerfile }),
    input: () => process.stdin,
    named: namedContexts(args),
    ...(target === undefined ? {} : { target }),
    buildArguments: buildArguments(context, args, epochSeconds),
    labels: pairsOf(args.values('label'), {}),
    platforms: platformsOf(args),
    network: networkOf(args),
    hosts: args.values('add-host'),
    provided: await providedBy(args, context.env),
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
    noCache: args.flag('no-cache') ? 'all' : new Set(args.values('no-cache-filter')),
    isNamespaced: isNamespaced(store.sys),
    explain: args.flag('explain'),
    cacheSources: (lease) => cacheSources(context, args, store, lease),
    inlineCache: cacheTargets(args).some((one) => one.kind === 'inline'),
    progress,
    signal,
    lookUpImage: (reference, at) =>
      progress.during(`[internal] load metadata for ${reference}`, () =>
        baseConfig(reference, { context, store, platform: at, pull: args.flag('pull') }),
      ),
    loadImage: (reference, at, lease) =>
      progress.during(`[internal] load metadata for ${reference}`, (step) =>
        baseImage(reference, { context, store, lease, platform: at, pull: args.flag('pull'), note: (text) => step.note(text) }),
      ),
  };
}

/** Each once. */
function platformsOf(args: ParsedArgs): Platform[] {
  const all = args
    .values('platform')
    .flatMap((text) => text.split(','))
    .map((text) => parsePlatform(text.trim()));
  return [...new Map(all.map((platform) => [formatPlatform(platform), platform])).values()];
}

/** Steps that ask for SOURCE_DATE_EPOCH get the one that the build itself goes by. */
function buildArguments(context: Context, args: ParsedArgs, epochSeconds: number | undefined): Map<string, string> {
  const given = pairsOf(args.values('build-arg'), context.env);
  if (epochSeconds !== undefined && !given.has('SOURCE_DATE_EPOCH')) given.set('SOURCE_DATE_EPOCH', String(epochSeconds));
  return given;
}
