/** Content descriptors and platforms (image-spec, descriptor.md and image-index.md). */

import { type Digest, digest } from './digest.ts';
import { checkAt, list, mapOf, matching, object, type Shape, size, string } from './shape.ts';

export interface Platform {
  architecture: string;
  os: string;
  'os.version'?: string;
  'os.features'?: string[];
  variant?: string;
}

export interface Descriptor {
  mediaType: string;
  digest: Digest;
  /** Bytes of the blob as stored. */
  size: number;
  /** Where else the blob can be fetched. */
  urls?: string[];
  annotations?: Record<string, string>;
  /** The blob itself in base64, for small ones; must match digest and size like any other source. */
  data?: string;
  artifactType?: string;
  /** Only for manifests in an index. */
  platform?: Platform;
}

/** RFC 6838, section 4.2. Parameters are not part of a media type in a descriptor. */
const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export const mediaType: Shape = matching(mediaTypePattern, 'a media type');
export const annotations: Shape = mapOf(string);

export const platform: Shape = object(
  { architecture: string, os: string },
  { 'os.version': string, 'os.features': list(string), variant: string },
);

export const descriptor: Shape = object(
  { mediaType, digest, size },
  {
    urls: list(string),
    annotations,
    data: matching(/^[A-Za-z0-9+/]*={0,2}$/, 'base64'),
    artifactType: matching(/^(?:[^/]+\/[^/]+)?$/, 'a media type'),
    platform,
  },
);

/** Checks an object and hands it back as a descriptor. Throws SpecError. */
export function asDescriptor(value: unknown, path = ''): Descriptor {
  checkAt(path, descriptor, value);
  return value as Descriptor;
}

/** The descriptor of the two bytes `{}`, a placeholder where a config or layer is required but has nothing to say (manifest.md). */
export const EMPTY_DESCRIPTOR = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' as Digest,
  size: 2,
  data: 'e30=',
} as const satisfies Descriptor;
