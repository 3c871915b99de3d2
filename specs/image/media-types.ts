/** Media types of OCI image-spec 1.1 (media-types.md) and of docker's image manifest version 2, schema 2. */

export const OCI = {
  descriptor: 'application/vnd.oci.descriptor.v1+json',
  layout: 'application/vnd.oci.layout.header.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  foreignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  foreignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  foreignLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
} as const;

export const DOCKER = {
  manifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
  layerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  layerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  foreignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  manifestSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  signedManifestSchema1: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

/** What a client says it understands when it asks for a manifest. */
export const MANIFEST_ACCEPT = [OCI.index, OCI.manifest, DOCKER.manifestList, DOCKER.manifest] as const;

export type LayerCompression = 'none' | 'gzip' | 'zstd';

const layerTypes: ReadonlyMap<string, { compression: LayerCompression; foreign: boolean }> = new Map([
  [OCI.layer, { compression: 'none', foreign: false }],
  [OCI.layerGzip, { compression: 'gzip', foreign: false }],
  [OCI.layerZstd, { compression: 'zstd', foreign: false }],
  [OCI.foreignLayer, { compression: 'none', foreign: true }],
  [OCI.foreignLayerGzip, { compression: 'gzip', foreign: true }],
  [OCI.foreignLayerZstd, { compression: 'zstd', foreign: true }],
  [DOCKER.layer, { compression: 'none', foreign: false }],
  [DOCKER.layerGzip, { compression: 'gzip', foreign: false }],
  [DOCKER.layerZstd, { compression: 'zstd', foreign: false }],
  [DOCKER.foreignLayerGzip, { compression: 'gzip', foreign: true }],
]);

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI.index || mediaType === DOCKER.manifestList;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI.manifest || mediaType === DOCKER.manifest;
}

export function isSchema1Type(mediaType: string): boolean {
  return mediaType === DOCKER.manifestSchema1 || mediaType === DOCKER.signedManifestSchema1;
}

export function isConfigType(mediaType: string): boolean {
  return mediaType === OCI.config || mediaType === DOCKER.config;
}

/** What a media type says of a file system layer; undefined for anything that is not one. The bytes may say otherwise: readers look at the magic. */
export function layerType(mediaType: string): { readonly compression: LayerCompression; readonly foreign: boolean } | undefined {
  return layerTypes.get(mediaType);
}
