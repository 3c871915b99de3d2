/** Image manifests and indexes, of OCI image-spec 1.1 and of docker schema 2 (which have the same shape and other media types). */

import { annotations, type Descriptor, descriptor, mediaType } from './descriptor.ts';
import { DOCKER, isIndexType, isManifestType, isSchema1Type, OCI } from './media-types.ts';
import { isObject, list, object, oneOf, parseJson, SpecError } from './shape.ts';

export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  artifactType?: string;
  config: Descriptor;
  layers: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

export interface Index {
  schemaVersion: 2;
  mediaType?: string;
  artifactType?: string;
  manifests: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

export type ManifestDocument =
  | { readonly kind: 'manifest'; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly mediaType: string; readonly index: Index };

/** Registries must accept manifests up to this size (distribution-spec, "Pushing Manifests"); nobody need read larger ones. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

const common = { mediaType, artifactType: mediaType, subject: descriptor, annotations };
const manifestShape = object({ schemaVersion: oneOf(2), config: descriptor, layers: list(descriptor) }, common);
const indexShape = object({ schemaVersion: oneOf(2), manifests: list(descriptor) }, common);

/**
 * Reads a manifest or an index. `mediaType` is what the descriptor or the Content-Type header calls it; without one the document must say itself
 * or be told apart by its fields. Throws SpecError, also for schema 1 and for a document that can be read as both kinds.
 */
export function parseManifestDocument(bytes: Uint8Array | string, mediaTypeGiven?: string): ManifestDocument {
  const value = parseJson(bytes, 'the manifest');
  if (!isObject(value)) throw new SpecError('', 'the manifest is not an object');
  const named = typeof value['mediaType'] === 'string' ? value['mediaType'] : undefined;
  const type = mediaTypeGiven ?? named ?? guessType(value);
  refuseOldAndAmbiguous(value, type);
  // image-spec, image-index.md and manifest.md: the field, where used, must agree with the descriptor's media type.
  if (named !== undefined && named !== type)
    throw new SpecError('mediaType', `the document calls itself ${named}, but was offered as ${type}`);
  // Go's encoder writes null for an empty list.
  for (const field of ['layers', 'manifests']) if (value[field] === null) value[field] = [];
  if (isIndexType(type)) {
    indexShape(value);
    return { kind: 'index', mediaType: type, index: value as unknown as Index };
  }
  if (isManifestType(type)) {
    manifestShape(value);
    return { kind: 'manifest', mediaType: type, manifest: value as unknown as Manifest };
  }
  throw new SpecError('', `${type} is not a manifest type this tool knows`);
}

/** As parseManifestDocument, for a place where only a manifest will do. */
export function parseManifest(bytes: Uint8Array, mediaTypeGiven?: string): Manifest {
  const document = parseManifestDocument(bytes, mediaTypeGiven);
  if (document.kind !== 'manifest') throw new SpecError('', `expected an image manifest, got an index (${document.mediaType})`);
  return document.manifest;
}

/** As parseManifestDocument, for a place where only an index will do. */
export function parseIndex(bytes: Uint8Array | string, mediaTypeGiven?: string): Index {
  const document = parseManifestDocument(bytes, mediaTypeGiven);
  if (document.kind !== 'index') throw new SpecError('', `expected an index, got an image manifest (${document.mediaType})`);
  return document.index;
}

function guessType(value: Record<string, unknown>): string {
  if (value['schemaVersion'] === 1) return DOCKER.manifestSchema1;
  return value['manifests'] === undefined ? OCI.manifest : OCI.index;
}

function refuseOldAndAmbiguous(value: Record<string, unknown>, type: string): void {
  if (isSchema1Type(type) || value['schemaVersion'] === 1 || value['fsLayers'] !== undefined) {
    throw new SpecError('', 'this is a docker schema 1 manifest, a format withdrawn in 2015: ask its owner to push the image again');
  }
  // GHSA-77vh-xpmg-72qh: two clients must not be able to read the same bytes as different kinds.
  const isIndexLike = value['manifests'] !== undefined && value['manifests'] !== null;
  const isManifestLike =
    (value['layers'] !== undefined && value['layers'] !== null) || (value['config'] !== undefined && value['config'] !== null);
  if (isIndexLike && isManifestLike) throw new SpecError('', 'the document has the fields of both a manifest and an index');
}
