/**
 * A build from its options to a stored image:
 *
 *     context and Dockerfile ─▶ parse ─▶ plan (base images are looked up) ─▶ stages, steps, layers ─▶ configuration and manifest
 *
 * What it fetches and makes is leased while it lasts. Whatever happens, neither mounts nor containers nor snapshots are left; a build that was killed
 * is cleaned up after by the next one.
 */

import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { readUntilAborted, untilAborted } from '../base/until-aborted.ts';
import { storeJson } from '../image/commit.ts';
import type { LoadedImage } from '../image/load.ts';
import { formatPlatform, hostPlatform } from '../image/platform.ts';
import { LEASE_MS, type Lease, takeLease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { encodeRecords, INLINE_FIELD } from './cache/exchange.ts';
import { keepCached } from './cache/keep.ts';
import type { CacheSource } from './cache/records.ts';
import { Trace } from './cache/trace.ts';
import { type BuildCheck, checkError, checkPlan } from './check-plan.ts';
import { contextDirectory, directoryOrigin, type LoadedContext, loadContext } from './context/load.ts';
import type { Origin } from './copy/select.ts';
import type { Dockerfile } from './dockerfile/ast.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import { type AssembledImage, assembleImage } from './execute/image.ts';
import { Session, type SessionOptions } from './execute/session.ts';
import { SharedWork } from './execute/shared-work.ts';
import { type BuiltStage, executePlan } from './execute/stages.ts';
import { type BuildPlan, planBuild } from './plan/stages.ts';
import type { BuildProgress } from './progress/progress.ts';
import { Workspace } from './run/workspace.ts';

export interface NamedContext {
  readonly kind: 'image' | 'files';
  /** What `loadImage` understands, or a path or URL. */
  readonly source: string;
}

export type ImageLookup = (reference: string, platform: Platform) => Promise<Pick<LoadedImage, 'config'>>;

export interface BuildOptions
  extends Pick<
    SessionOptions,
    'provided' | 'hosts' | 'epochSeconds' | 'noCache' | 'isNamespaced' | 'onFailedRun' | 'breakAt' | 'beforeShell'
  > {
  readonly store: Store;
  readonly context: string;
  readonly dockerfile?: string;
  readonly input: () => AsyncIterable<Uint8Array>;
  readonly named: ReadonlyMap<string, NamedContext>;
  readonly target?: string;
  readonly buildArguments: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  /** This machine's, if there is none. Of several the result is an index. */
  readonly platforms: readonly Platform[];
  readonly network: 'default' | 'none' | 'host';
  readonly loadImage: (reference: string, platform: Platform, lease: Lease) => Promise<LoadedImage>;
  /** Its configuration alone, which does not bring it into the store. */
  readonly lookUpImage: ImageLookup;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
  readonly explain: boolean;
  readonly cacheSources: (lease: Lease) => Promise<readonly CacheSource[]>;
  /** The image carries the results of its steps. */
  readonly inlineCache: boolean;
}

/** What was built for one platform. */
export interface Variant {
  readonly plan: BuildPlan;
  readonly stage: BuiltStage;
  /** All stages that were built. */
  readonly stages: readonly BuiltStage[];
  readonly image: AssembledImage;
  readonly session: Session;
}

export interface Built {
  /** In the order of the platforms. */
  readonly variants: readonly [Variant, ...Variant[]];
  /** Of the image, or of the index of all. */
  readonly descriptor: Descriptor;
  /** What is not as it should be in the Dockerfile. */
  readonly check: BuildCheck;
}

/** Builds, and hands what was built to `use` while it is leased. Throws DockerfileError, StepError, ImageError, the signal's reason. */
export async function build<T>(options: BuildOptions, use: (built: Built) => Promise<T>): Promise<T> {
  const { store } = options;
  const workspace = await Workspace.open(store);
  const lease = await takeLease(store, { id: workspace.id, expiresInMs: LEASE_MS });
  try {
    return await buildIn(options, workspace, lease, use);
  } finally {
    await workspace.close();
    lease.release();
  }
}

async function buildIn<T>(options: BuildOptions, workspace: Workspace, lease: Lease, use: (built: Built) => Promise<T>): Promise<T> {
  const { store, progress, signal } = options;
  const images = memoized((reference: string, at: Platform) => untilAborted(signal, options.loadImage(reference, at, lease)));
  const context = await progress.during('[internal] load build context', () => contextOf(options, workspace));
  const dockerfile = parseDockerfile(context.dockerfile.text, context.dockerfile.name);
  const given: Given = {
    workspace,
    lease,
    context,
    dockerfile,
    images,
    named: await namedOrigins(options, workspace),
    cacheSources: await untilAborted(signal, options.cacheSources(lease)),
  };
  const [first = hostPlatform(), ...others] = options.platforms;
  const plan = await planFor(options, given, first);
  const check = await checkPlan(options, { dockerfile, ignoreFile: context.ignoreFile, plan, platform: first, images });
  if (check.isError) throw checkError(check);
  const otherPlans = await Promise.all(others.map(async (platform) => ({ platform, plan: await planFor(options, given, platform) })));
  const variants = await buildVariants(options, given, [{ platform: first, plan }, ...otherPlans]);
  return await use({ variants, descriptor: await indexOf(store, lease, variants), check });
}

interface PlatformPlan {
  readonly platform: Platform;
  readonly plan: BuildPlan;
}

/** All platforms side by side. Where one fails the others are stopped, and waited for. */
async function buildVariants(
  options: BuildOptions,
  given: Given,
  [first, ...others]: readonly [PlatformPlan, ...PlatformPlan[]],
): Promise<Built['variants']> {
  const controller = new AbortController();
  const shared = new SharedWork();
  let failure: { readonly error: unknown } | undefined;
  const start = async (one: PlatformPlan): Promise<Variant> => {
    try {
      return await buildVariant(options, given, { ...one, controller, shared });
    } catch (error) {
      failure ??= { error };
      controller.abort();
      throw error;
    }
  };
  const [begun, begunOthers] = [start(first), others.map(start)];
  await Promise.allSettled([begun, ...begunOthers]);
  // What they ran into may be only that everything was stopped.
  if (failure !== undefined) {
    options.signal.throwIfAborted();
    throw failure.error;
  }
  return [await begun, ...(await Promise.all(begunOthers))];
}

/** What the builds for all platforms share. */
interface Given {
  readonly workspace: Workspace;
  readonly lease: Lease;
  readonly context: LoadedContext;
  readonly dockerfile: Dockerfile;
  readonly images: (reference: string, platform: Platform) => Promise<LoadedImage>;
  readonly named: ReadonlyMap<string, Origin>;
  readonly cacheSources: readonly CacheSource[];
}

/** Looks the base images up. */
export async function planFor(
  options: BuildOptions,
  { dockerfile, images }: { readonly dockerfile: Dockerfile; readonly images: ImageLookup },
  platform: Platform,
): Promise<BuildPlan> {
  return await planBuild({
    dockerfile,
    ...(options.target === undefined ? {} : { target: options.target }),
    buildArguments: options.buildArguments,
    buildPlatform: hostPlatform(),
    platform,
    named: new Set(options.named.keys()),
    namedImages: namedImages(options),
    network: options.network,
    imageConfig: async (reference, at) => (await images(reference, at)).config,
  });
}

async function buildVariant(
  options: BuildOptions,
  given: Given,
  { platform, plan, controller, shared }: PlatformPlan & { readonly controller: AbortController; readonly shared: SharedWork },
): Promise<Variant> {
  const session = new Session({ ...sessionOptions(options, given, platform, controller), shared });
  try {
    const { target: stage, stages } = await executePlan(session, plan);
    const extraFields = options.inlineCache ? { [INLINE_FIELD]: encodeRecords(session.usedRecords(plan.target.index)) } : {};
    const image = await assembleImage(session, stage, { labels: options.labels, extraFields });
    session.options.trace.save();
    return { plan, stage, stages, image, session };
  } finally {
    // What was made before a failure is worth keeping as well.
    await keepCached(options.store, session.records);
    session.saveHashes();
  }
}

/** An index where there is more than one image. */
async function indexOf(store: Store, lease: Lease, variants: Built['variants']): Promise<Descriptor> {
  if (variants.length === 1) return variants[0].image.descriptor;
  const manifests = variants.map(({ image, session }) => ({ ...image.descriptor, platform: session.options.platform }));
  return await storeJson(store, lease, OCI.index, { schemaVersion: 2, mediaType: OCI.index, manifests });
}

/** Of the named contexts those that are images, by what `loadImage` calls them. */
export function namedImages({ named }: Pick<BuildOptions, 'named'>): Map<string, string> {
  return new Map([...named].flatMap(([name, { kind, source }]) => (kind === 'image' ? [[name, source] as const] : [])));
}

export async function contextOf(options: BuildOptions, workspace: Workspace): Promise<LoadedContext> {
  return await loadContext({
    sys: options.store.sys,
    source: options.context,
    ...(options.dockerfile === undefined ? {} : { dockerfile: options.dockerfile }),
    input: () => readUntilAborted(options.input(), options.signal),
    directory: workspace.step().directory,
    signal: options.signal,
  });
}

function sessionOptions(
  options: BuildOptions,
  given: Given,
  platform: Platform,
  controller: AbortController,
): Omit<SessionOptions, 'shared'> {
  const { store, progress, provided, hosts, epochSeconds, noCache, isNamespaced, onFailedRun, breakAt, beforeShell, explain } = options;
  const { workspace, lease, context, named, images, cacheSources } = given;
  const name = JSON.stringify([context.identity, context.dockerfile.name, options.target ?? '', platform]);
  return {
    store,
    lease,
    workspace,
    progress,
    signal: AbortSignal.any([options.signal, controller.signal]),
    abort: () => controller.abort(),
    isNamespaced,
    platform,
    platformLabel: options.platforms.length > 1 ? formatPlatform(platform) : '',
    context: context.origin,
    named,
    loadImage: images,
    cacheSources,
    provided,
    hosts,
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
    noCache,
    trace: new Trace(store.layout, name, explain),
    ...(onFailedRun === undefined ? {} : { onFailedRun }),
    ...(breakAt === undefined ? {} : { breakAt }),
    ...(beforeShell === undefined ? {} : { beforeShell }),
  };
}

async function namedOrigins({ named, store, signal }: BuildOptions, workspace: Workspace): Promise<Map<string, Origin>> {
  const origins = new Map<string, Origin>();
  for (const [name, { kind, source }] of named) {
    if (kind === 'image') continue;
    const directory = await contextDirectory({ sys: store.sys, directory: workspace.step().directory, signal }, source);
    origins.set(name, directoryOrigin(store.sys, directory, `context ${name}`).origin);
  }
  return origins;
}

/** Each image is looked for once. */
export function memoized<T>(load: (reference: string, platform: Platform) => Promise<T>): typeof load {
  const known = new Map<string, Promise<T>>();
  return (reference, platform) => {
    const key = JSON.stringify([reference, platform]);
    const image = known.get(key) ?? load(reference, platform);
    known.set(key, image);
    return image;
  };
}
