/**
 * Where things lie in a store:
 *
 *     oci-layout, index.json     an OCI image layout that skopeo and umoci read as it is
 *     blobs/<algorithm>/<hex>    whole, verified blobs, read-only
 *     ingest/<algorithm>-<hex>   partial blobs: their size is the offset at which the next attempt goes on
 *     labels/<algorithm>-<hex>   small facts about blobs, JSON
 *     leases/<id>                digests that gc must leave alone, one a line
 *     snapshots/                 unpacked layers; `snapshot/` knows more
 *     build/                     results of build steps, cache mounts, logs; `build/` knows more
 *     lock                       flock: shared by who adds, exclusive for who changes index.json or collects garbage
 *     settings.json              the size cap
 *     listing.json               what `tsimg images` shows; made anew when it is missing or the index is another
 */

export interface Layout {
  readonly root: string;
  readonly blobs: string;
  readonly ingest: string;
  readonly labels: string;
  readonly leases: string;
  readonly snapshots: string;
  readonly build: string;
  readonly header: string;
  readonly index: string;
  readonly lock: string;
  readonly settings: string;
  readonly listing: string;
}

export const LAYOUT_VERSION = '1.0.0';

export function layoutAt(root: string): Layout {
  const base = root.replace(/\/+$/, '');
  return {
    root,
    blobs: `${base}/blobs`,
    ingest: `${base}/ingest`,
    labels: `${base}/labels`,
    leases: `${base}/leases`,
    snapshots: `${base}/snapshots`,
    build: `${base}/build`,
    header: `${base}/oci-layout`,
    index: `${base}/index.json`,
    lock: `${base}/lock`,
    settings: `${base}/settings.json`,
    listing: `${base}/listing.json`,
  };
}

/** What the layout's header says it is. @param header the text of `oci-layout` */
export function versionOf(header: string): string | undefined {
  return /"imageLayoutVersion"\s*:\s*"([^"]*)"/.exec(header)?.[1];
}
