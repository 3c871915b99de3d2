/** --cache-from and --cache-to. */

import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { parseManifestDocument } from '../../../specs/image/manifest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { isObject } from '../../../specs/image/shape.ts';
import type { Built } from '../build/build.ts';
import {
  CACHE_CONFIG_TYPE,
  decodeRecords,
  directorySource,
  encodeRecords,
  exportToDirectory,
  INLINE_FIELD,
  type RecordList,
} from '../build/cache/exchange.ts';
import type { CacheSource } from '../build/cache/records.ts';
import { storeJson } from '../image/commit.ts';
import { parseReference, withDefaultTag } from '../reference/reference.ts';
import type { Lease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { type ParsedArgs, usage } from './args.ts';
import { fieldsOf } from './build-options.ts';
import type { Context } from './command.ts';

export type CacheTarget =
  | { readonly kind: 'local'; readonly directory: string; readonly all: boolean }
  | { readonly kind: 'registry'; readonly reference: string; readonly all: boolean }
  | { readonly kind: 'inline' };

/** Throws ImageError `usage`. */
export function cacheTargets(args: ParsedArgs): CacheTarget[] {
  return args.values('cache-to').map((text) => {
    const fields = fieldsOf(
      text.includes('=') || text === 'inline' ? text.replace(/^inline$/, 'type=inline') : `type=registry,ref=${text}`,
      'cache-to',
    );
    const all = fields.get('mode') !== 'min';
    if (fields.get('type') === 'inline') return { kind: 'inline' };
    if (fields.get('type') === 'local') return { kind: 'local', directory: required(fields, 'dest', text, 'cache-to'), all };
    if (fields.get('type') === 'registry') return { kind: 'registry', reference: required(fields, 'ref', text, 'cache-to'), all };
    throw usage(`--cache-to ${text}: type can be local, registry or inline`);
  });
}

/** Sources that cannot be reached are told of, and left out. */
export async function cacheSources(context: Context, args: ParsedArgs, store: Store, lease: Lease): Promise<CacheSource[]> {
  const sources: CacheSource[] = [];
  for (const text of args.values('cache-from')) {
    const fields = fieldsOf(text.includes('=') ? text : `type=registry,ref=${text}`, 'cache-from');
    const type = fields.get('type');
    if (type !== 'local' && type !== 'registry') throw usage(`--cache-from ${text}: type can be local or registry`);
    try {
      if (type === 'local') sources.push(directorySource(store, lease, required(fields, 'src', text, 'cache-from')));
      else sources.push(await registrySource(context, store, lease, required(fields, 'ref', text, 'cache-from')));
    } catch (error) {
      context.note(`--cache-from ${text}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return sources;
}

/** A cache of its own, or an image that was built with an inline one. */
async function registrySource(context: Context, store: Store, lease: Lease, text: string): Promise<CacheSource> {
  const reference = withDefaultTag(parseReference(text));
  const client = await context.client(reference);
  const { fetchManifest } = await import('../registry/manifests.ts');
  const { readBlob } = await import('../registry/blobs.ts');
  const { fetchBlob } = await import('../image/pull.ts');
  const { bytes, descriptor } = await fetchManifest(client, reference.path, reference.digest ?? reference.tag ?? 'latest');
  const document = parseManifestDocument(bytes, descriptor.mediaType);
  if (document.kind === 'index') return { find: () => undefined, fetch: async () => undefined };
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBlob(client, reference.path, document.manifest.config, { offset: 0 })) chunks.push(chunk);
  const config: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const records = decodeRecords(isObject(config) && INLINE_FIELD in config ? config[INLINE_FIELD] : config);
  return {
    find: (key) => records.get(key),
    fetch: (layer) => fetchBlob({ store, lease, client, repository: reference.path, onProgress: () => undefined }, layer),
  };
}

/** Leaves results in directories and registries. */
export async function exportCache(context: Context, { variants }: Built, targets: readonly CacheTarget[]): Promise<void> {
  const { store, lease, progress } = variants[0].session.options;
  for (const target of targets) {
    if (target.kind === 'inline') continue;
    const records = variants.flatMap(({ session, stage }) => session.usedRecords(target.all ? undefined : stage.plan.index));
    await progress.during(`exporting cache to ${target.kind === 'local' ? target.directory : target.reference}`, async () => {
      if (target.kind === 'local') exportToDirectory(store, target.directory, records);
      else await pushCache(context, store, lease, { text: target.reference, records });
    });
  }
}

async function pushCache(context: Context, store: Store, lease: Lease, cache: { text: string; records: RecordList }): Promise<void> {
  const reference = withDefaultTag(parseReference(cache.text));
  const layers = new Map<string, Descriptor>();
  for (const [, { layer }] of cache.records) if (layer !== undefined) layers.set(layer.descriptor.digest, layer.descriptor);
  const config = await storeJson(store, lease, CACHE_CONFIG_TYPE, encodeRecords(cache.records));
  const manifest = { schemaVersion: 2, mediaType: OCI.manifest, config, layers: [...layers.values()] };
  const image = await storeJson(store, lease, OCI.manifest, manifest);
  const { pushImage } = await import('../image/push.ts');
  await pushImage({ store, client: await context.client(reference), reference, image, onProgress: () => undefined });
}

function required(fields: ReadonlyMap<string, string>, name: string, text: string, option: string): string {
  const value = fields.get(name);
  if (value === undefined || value === '') throw usage(`--${option} ${text} needs ${name}=`);
  return value;
}
