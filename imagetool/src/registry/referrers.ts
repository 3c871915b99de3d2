/**
 * What refers to a manifest: signatures, SBOMs, attestations (distribution-spec 1.1, "Listing Referrers"). Registries that do not keep that list have
 * it under a tag made of the digest, which whoever pushes must look after ("Referrers Tag Schema").
 */

import { asDescriptor, type Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { type Index, parseIndex, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { algorithmOf, digestOf, encodedOf } from '../digest/digest.ts';
import type { RegistryClient } from './client.ts';
import { RegistryError } from './errors.ts';
import { type FetchedManifest, fetchManifest, listPages, pullScope, pushManifest } from './manifests.ts';

/** Descriptors of the manifests that have `digest` as their subject; of one artifact type, if that is given. None is no error. */
export async function listReferrers(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  artifactType?: string,
): Promise<Descriptor[]> {
  // The registry may filter or not, and does not always say which it has done.
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const all = (await askRegistry(client, repository, `${digest}${query}`)) ?? (await readTag(client, repository, digest)).manifests;
  return artifactType === undefined ? all : all.filter((one) => one.artifactType === artifactType);
}

/** As pushManifest; what has a subject is entered in the subject's list where the registry does not do that itself. */
export async function pushWithSubject(
  client: RegistryClient,
  repository: string,
  reference: string,
  manifest: FetchedManifest,
): Promise<void> {
  const { isSubjectKnown } = await pushManifest(client, repository, reference, manifest);
  const document = parseManifestDocument(manifest.bytes, manifest.descriptor.mediaType);
  const { subject } = document.kind === 'manifest' ? document.manifest : document.index;
  if (subject === undefined || isSubjectKnown) return;
  const index = await readTag(client, repository, subject.digest);
  if (index.manifests.some((one) => one.digest === manifest.descriptor.digest)) return;
  const bytes = Buffer.from(JSON.stringify({ ...index, manifests: [...index.manifests, referrerOf(manifest)] }));
  const descriptor = { mediaType: OCI.index, digest: digestOf(bytes), size: bytes.length };
  await pushManifest(client, repository, tagOf(subject.digest), { descriptor, bytes });
}

/** The entry of a manifest in its subject's list: the artifact type, or the configuration's media type in its stead, and the annotations. */
function referrerOf({ bytes, descriptor }: FetchedManifest): Descriptor {
  const document = parseManifestDocument(bytes, descriptor.mediaType);
  const { artifactType, annotations } = document.kind === 'manifest' ? document.manifest : document.index;
  const type = artifactType ?? (document.kind === 'manifest' ? document.manifest.config.mediaType : undefined);
  const { mediaType, digest, size } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** Undefined where the registry does not know the question. */
async function askRegistry(client: RegistryClient, repository: string, what: string): Promise<Descriptor[] | undefined> {
  try {
    const found = await listPages(client, `/v2/${repository}/referrers/${what}`, 'manifests', [pullScope(repository)]);
    return found.map((one, at) => asDescriptor(one, `manifests[${at}]`));
  } catch (error) {
    if (error instanceof RegistryError && (error.status === 404 || error.status === 405)) return undefined;
    throw error;
  }
}

async function readTag(client: RegistryClient, repository: string, digest: Digest): Promise<Index> {
  try {
    const { bytes, descriptor } = await fetchManifest(client, repository, tagOf(digest));
    return parseIndex(bytes, descriptor.mediaType);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'not-found') throw error;
    return { schemaVersion: 2, mediaType: OCI.index, manifests: [] };
  }
}

/** `sha256-…`, cut to what a tag may hold. */
function tagOf(digest: Digest): string {
  return `${algorithmOf(digest).slice(0, 32)}-${encodedOf(digest).slice(0, 64)}`;
}
