/** Manifests and tags of a repository (distribution-spec 1.1, "Pull", "Push", "Content Discovery"). */

import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { type Digest, isDigest } from '../../../specs/image/digest.ts';
import { MAX_MANIFEST_BYTES, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { MANIFEST_ACCEPT } from '../../../specs/image/media-types.ts';
import { algorithmOf, DigestError, digestOf } from '../digest/digest.ts';
import type { RegistryClient } from './client.ts';
import { RegistryError } from './errors.ts';
import { type HttpAnswer, header } from './transport.ts';

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

/**
 * Fetches a manifest or index by tag or digest; its digest is computed here, and compared with the one asked for and the one the registry claims.
 * Throws RegistryError, DigestError, and SpecError for a document that is none.
 */
export async function fetchManifest(
  client: RegistryClient,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<FetchedManifest> {
  const what = `manifest ${client.host}/${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
  const answer = await client.expect(
    {
      method: 'GET',
      path: `/v2/${repository}/manifests/${reference}`,
      headers: { accept: MANIFEST_ACCEPT.join(', ') },
      scopes: [pullScope(repository)],
      what,
      mayBeElsewhere: true,
      ...(signal === undefined ? {} : { signal }),
    },
    200,
  );
  const bytes = await readLimited(answer, MAX_MANIFEST_BYTES, what);
  const mediaType = mediaTypeOf(answer);
  const descriptor = {
    mediaType: parseManifestDocument(bytes, mediaType).mediaType,
    digest: checkDigest(answer, bytes, reference),
    size: bytes.length,
  };
  return { descriptor, bytes };
}

/** The digest a tag stands for, without fetching: undefined where the registry does not say it in an answer to HEAD. */
export async function headManifest(client: RegistryClient, repository: string, reference: string): Promise<Descriptor | undefined> {
  const answer = await client.send({
    method: 'HEAD',
    path: `/v2/${repository}/manifests/${reference}`,
    headers: { accept: MANIFEST_ACCEPT.join(', ') },
    scopes: [pullScope(repository)],
    what: `manifest ${client.host}/${repository}:${reference}`,
  });
  await answer.body.dump();
  const digest = header(answer, 'docker-content-digest');
  const size = Number(header(answer, 'content-length'));
  const mediaType = mediaTypeOf(answer);
  if (answer.status !== 200 || digest === undefined || !isDigest(digest) || mediaType === undefined || !Number.isSafeInteger(size))
    return undefined;
  return { mediaType, digest, size };
}

/** Stores a manifest under a tag or its digest. All it names must be there. Tells whether the registry enters it in its subject's list itself. */
export async function pushManifest(
  client: RegistryClient,
  repository: string,
  reference: string,
  manifest: FetchedManifest,
): Promise<{ isSubjectKnown: boolean }> {
  const answer = await client.expect(
    {
      method: 'PUT',
      path: `/v2/${repository}/manifests/${reference}`,
      headers: { 'content-type': manifest.descriptor.mediaType },
      body: manifest.bytes,
      scopes: [pushScope(repository)],
      what: `manifest ${client.host}/${repository}:${reference}`,
    },
    201,
    200,
    202,
  );
  await answer.body.dump();
  const digest = header(answer, 'docker-content-digest');
  if (digest !== undefined && digest !== manifest.descriptor.digest) {
    throw new DigestError(`${client.host} has stored ${digest} where ${manifest.descriptor.digest} was sent`);
  }
  return { isSubjectKnown: header(answer, 'oci-subject') !== undefined };
}

export async function deleteManifest(client: RegistryClient, repository: string, reference: string): Promise<void> {
  const answer = await client.expect(
    {
      method: 'DELETE',
      path: `/v2/${repository}/manifests/${reference}`,
      scopes: [`repository:${repository}:delete`],
      what: `manifest ${client.host}/${repository}:${reference}`,
    },
    202,
    200,
  );
  await answer.body.dump();
}

/** All tags, in the registry's order, following its pages. */
export async function listTags(client: RegistryClient, repository: string): Promise<string[]> {
  return (await listPages(client, `/v2/${repository}/tags/list`, 'tags', [pullScope(repository)])).filter(isText);
}

/** All repositories, where the registry offers that. */
export async function listRepositories(client: RegistryClient): Promise<string[]> {
  return (await listPages(client, '/v2/_catalog', 'repositories', ['registry:catalog:*'])).filter(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** The elements of a list that comes in pages, each an object with the list in `field`. */
export async function listPages(client: RegistryClient, first: string, field: string, scopes: readonly string[]): Promise<unknown[]> {
  const all: unknown[] = [];
  const seen = new Set<string>();
  for (let path: string | undefined = first; path !== undefined && !seen.has(path); ) {
    seen.add(path);
    const answer: HttpAnswer = await client.expect({ method: 'GET', path, scopes, what: `${client.host}${first}` }, 200);
    const value: unknown = await answer.body.json();
    const page = typeof value === 'object' && value !== null ? (Reflect.get(value, field) as unknown) : undefined;
    if (Array.isArray(page)) all.push(...(page as unknown[]));
    path = nextPage(answer);
  }
  return all;
}

/** RFC 8288. A relative link is relative to the request. */
function nextPage(answer: HttpAnswer): string | undefined {
  const match = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(header(answer, 'link') ?? '');
  return match?.[1] === undefined ? undefined : new URL(match[1], answer.url).href;
}

function mediaTypeOf(answer: HttpAnswer): string | undefined {
  const type = header(answer, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  // Some static servers know no better; then the document says itself what it is.
  return type === undefined || type === '' || /^(?:text\/plain|application\/(?:json|octet-stream))$/.test(type) ? undefined : type;
}

function checkDigest(answer: HttpAnswer, bytes: Buffer, reference: string): Digest {
  const claimed = header(answer, 'docker-content-digest');
  const expected = [reference, claimed].filter((text): text is Digest => text !== undefined && isDigest(text));
  for (const digest of expected) {
    const actual = digestOf(bytes, algorithmOf(digest));
    if (actual !== digest) throw new DigestError(`the registry sent a manifest with the digest ${actual} for ${digest}`);
  }
  return expected[0] ?? digestOf(bytes);
}

async function readLimited(answer: HttpAnswer, limitBytes: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw new RegistryError('registry', `${what} is larger than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
