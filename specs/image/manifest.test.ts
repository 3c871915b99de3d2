import { parseIndex, parseManifest, parseManifestDocument } from './manifest.ts';
import { DOCKER, OCI } from './media-types.ts';

const hex = 'a'.repeat(64);
const layer = { mediaType: OCI.layerGzip, digest: `sha256:${hex}`, size: 7 };
const config = { mediaType: OCI.config, digest: `sha256:${hex}`, size: 2 };
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('parseManifestDocument', () => {
  it('keeps unknown fields and the order of all fields', () => {
    const text = JSON.stringify({ 'x-new': [1], schemaVersion: 2, layers: [{ ...layer, 'y-new': true }], config });
    expect(JSON.stringify(parseManifest(new TextEncoder().encode(text)))).toBe(text);
  });

  it('tells an index from a manifest by its fields when nothing names the type', () => {
    expect(parseManifestDocument(bytes({ schemaVersion: 2, manifests: [] })).kind).toBe('index');
    expect(parseManifestDocument(bytes({ schemaVersion: 2, config, layers: [] })).kind).toBe('manifest');
  });

  it('takes null for an absent optional field and for an empty list', () => {
    const manifest = parseManifest(bytes({ schemaVersion: 2, config, layers: null, annotations: null }));
    expect(manifest.layers).toEqual([]);
    expect(manifest.annotations).toBeUndefined();
    expect(Object.keys(manifest)).not.toContain('annotations');
  });

  it('reads docker schema 2 and manifest lists', () => {
    expect(parseManifest(bytes({ schemaVersion: 2, mediaType: DOCKER.manifest, config, layers: [layer] })).layers).toHaveLength(1);
    const manifests = [{ mediaType: DOCKER.manifest, digest: layer.digest, size: 1, platform: { os: 'linux', architecture: 'arm64' } }];
    expect(parseIndex(bytes({ schemaVersion: 2, mediaType: DOCKER.manifestList, manifests })).manifests[0]?.platform?.os).toBe('linux');
  });

  it.each([
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, /schema 1/],
    ['both kinds at once', { schemaVersion: 2, config, layers: [], manifests: [] }, /both/],
    ['a negative size', { schemaVersion: 2, config, layers: [{ ...layer, size: -1 }] }, /layers\[0\]\.size: .*negative/],
    ['a fractional size', { schemaVersion: 2, config, layers: [{ ...layer, size: 1.5 }] }, /layers\[0\]\.size/],
    ['a missing digest', { schemaVersion: 2, config, layers: [{ mediaType: OCI.layer, size: 1 }] }, /layers\[0\]\.digest: is missing/],
    ['upper-case hex', { schemaVersion: 2, config, layers: [{ ...layer, digest: `sha256:${'A'.repeat(64)}` }] }, /not a digest/],
    ['a short digest', { schemaVersion: 2, config, layers: [{ ...layer, digest: 'sha256:ab' }] }, /not a digest/],
    ['a path as a digest', { schemaVersion: 2, config, layers: [{ ...layer, digest: 'sha256:../../etc' }] }, /not a digest/],
    ['another schema version', { schemaVersion: 3, config, layers: [] }, /schemaVersion/],
    ['a list', [], /not an object/],
  ])('refuses %s', (_, value, message) => {
    expect(() => parseManifestDocument(bytes(value))).toThrow(message);
  });

  it('refuses a document that calls itself something else than its descriptor does', () => {
    expect(() => parseManifestDocument(bytes({ schemaVersion: 2, mediaType: OCI.index, manifests: [] }), OCI.manifest)).toThrow(
      /offered as/,
    );
  });

  it('lets an unregistered digest algorithm pass when it follows the grammar', () => {
    expect(() => parseManifest(bytes({ schemaVersion: 2, config, layers: [{ ...layer, digest: 'blake3:abc_-=' }] }))).not.toThrow();
  });

  it('refuses text that is not UTF-8', () => {
    expect(() => parseManifestDocument(new Uint8Array([0x7b, 0xff, 0x7d]))).toThrow(/UTF-8/);
  });
});
