/**
 * Images out of an archive, in one pass and in any order of its members: OCI layouts, docker's archives of all ages, and both in one.
 */

import { posix } from 'node:path';
import { ANNOTATION } from '../../../specs/image/annotations.ts';
import { parseImageConfig } from '../../../specs/image/config.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { isDigest } from '../../../specs/image/digest.ts';
import { parseIndex } from '../../../specs/image/manifest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { checkAt, list, object, parseJson, string } from '../../../specs/image/shape.ts';
import { toText } from '../archive/byte-string.ts';
import { decompress, detectCompression } from '../archive/compression.ts';
import type { TarEntry } from '../archive/tar-entry.ts';
import { readTar } from '../archive/tar-reader.ts';
import { ImageError } from '../base/errors.ts';
import { digestOf } from '../digest/digest.ts';
import type { Expected } from '../digest/verify.ts';
import { formatReference, parseReference, withDefaultTag } from '../reference/reference.ts';
import { hasBlob } from '../store/blobs.ts';
import type { StoredImage } from '../store/entries.ts';
import type { Lease } from '../store/leases.ts';
import { addImage, setImage } from '../store/refs.ts';
import type { Store } from '../store/store.ts';
import { BlobWriter } from '../store/writer.ts';
import { storeJson } from './commit.ts';

/** Documents are kept in memory until the archive's end, since they may come before what they speak of. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const MAX_DOCUMENTS_BYTES = 64 * 1024 * 1024;

interface Member {
  readonly blob: Expected;
  readonly head: Buffer;
  /** Only of small files. */
  readonly bytes?: Buffer;
}

/** Takes in all images of an archive, and names them as it does. Returns them. */
export async function loadArchive(store: Store, lease: Lease, source: AsyncIterable<Uint8Array>): Promise<StoredImage[]> {
  const members = new Members();
  let current: MemberWriter | undefined;
  for await (const event of readTar(decompress(source))) {
    if (event.kind === 'entry') {
      if (event.entry.type === 'symlink' || event.entry.type === 'hardlink') members.link(event.entry);
      current = event.entry.type === 'file' ? new MemberWriter(store, event.entry) : undefined;
    } else if (event.kind === 'data') await current?.write(event.bytes);
    else if (current !== undefined) members.add(current.path, await current.finish(lease));
  }
  const images = (await fromLayout(store, members)) ?? (await fromDocker(store, lease, members));
  for (const { name, descriptor } of images) await (name === undefined ? addImage(store, descriptor) : setImage(store, name, descriptor));
  return images;
}

/** Every member becomes a blob: what turns out not to be one goes with the next gc. */
class MemberWriter {
  readonly path: string;
  readonly #writer: BlobWriter;
  readonly #chunks: Buffer[] | undefined;
  #head = Buffer.alloc(0);

  constructor(store: Store, entry: TarEntry) {
    this.path = cleanPath(entry.path);
    this.#writer = new BlobWriter(store);
    this.#chunks = entry.size <= MAX_DOCUMENT_BYTES ? [] : undefined;
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#head.length < 4) this.#head = Buffer.concat([this.#head, bytes.subarray(0, 4)]);
    // The reader's memory is used again.
    this.#chunks?.push(Buffer.from(bytes));
    await this.#writer.write(bytes);
  }

  async finish(lease: Lease): Promise<Member> {
    const blob = await this.#writer.commit(lease);
    return { blob, head: this.#head, ...(this.#chunks === undefined ? {} : { bytes: Buffer.concat(this.#chunks) }) };
  }
}

class Members {
  readonly #byPath = new Map<string, Member>();
  readonly #links = new Map<string, string>();
  #documentBytes = 0;

  add(path: string, member: Member): void {
    this.#documentBytes += member.bytes?.length ?? 0;
    const isKept = this.#documentBytes <= MAX_DOCUMENTS_BYTES;
    this.#byPath.set(path, isKept ? member : { blob: member.blob, head: member.head });
    const digest = path.replace(/^blobs\/(sha256|sha512)\//, '$1:');
    if (path.startsWith('blobs/sha256/') && isDigest(digest) && digest !== member.blob.digest) {
      throw new ImageError('digest', `${path} in the archive has other content: its digest is ${member.blob.digest}`);
    }
  }

  /** Old docker archives have links in place of layers they hold twice. */
  link(entry: TarEntry): void {
    const path = cleanPath(entry.path);
    const target = entry.type === 'symlink' ? posix.join(posix.dirname(path), toText(entry.linkName)) : cleanPath(entry.linkName);
    this.#links.set(path, target);
  }

  find(path: string): Member | undefined {
    let at = path;
    for (let hops = 0; hops < 8; hops += 1) {
      const found = this.#byPath.get(at);
      if (found !== undefined) return found;
      const target = this.#links.get(at);
      if (target === undefined) return undefined;
      at = target;
    }
    return undefined;
  }

  require(path: string): Member {
    const member = this.find(path);
    if (member === undefined) throw new ImageError('archive', `the archive does not hold ${path}, which it speaks of`);
    return member;
  }

  document(path: string): Buffer | undefined {
    return this.find(path)?.bytes;
  }
}

/** Undefined if the archive holds no layout, or one without what it names. */
async function fromLayout(store: Store, members: Members): Promise<StoredImage[] | undefined> {
  const bytes = members.document('index.json');
  if (bytes === undefined) return undefined;
  const { manifests } = parseIndex(bytes, OCI.index);
  if (manifests.length === 0 || !manifests.every((one) => hasBlob(store.layout, one.digest))) return undefined;
  return manifests.map((descriptor) => {
    const { [ANNOTATION.containerdImageName]: full, [ANNOTATION.refName]: short } = descriptor.annotations ?? {};
    const name = full ?? (short?.includes('/') === true ? short : undefined);
    const { annotations: _, ...plain } = descriptor;
    return name === undefined ? { descriptor: plain } : { name: fullName(name), descriptor: plain };
  });
}

const dockerShape = list(object({ Config: string, Layers: list(string) }, { RepoTags: list(string) }));

async function fromDocker(store: Store, lease: Lease, members: Members): Promise<StoredImage[]> {
  const bytes = members.document('manifest.json');
  if (bytes === undefined) throw new ImageError('archive', 'the archive holds neither index.json nor manifest.json: it is no image');
  const value = parseJson(bytes, 'manifest.json');
  checkAt('manifest.json', dockerShape, value);
  const images: StoredImage[] = [];
  for (const one of value as { Config: string; Layers: string[]; RepoTags?: string[] }[]) {
    const descriptor = await manifestFor(store, lease, members, one);
    const names = one.RepoTags ?? [];
    images.push(...(names.length === 0 ? [{ descriptor }] : names.map((name) => ({ name: fullName(name), descriptor }))));
  }
  return images;
}

/** Docker's archives have no manifest: it is made here. */
async function manifestFor(store: Store, lease: Lease, members: Members, image: { Config: string; Layers: string[] }): Promise<Descriptor> {
  const config = members.require(image.Config);
  if (config.bytes === undefined) throw new ImageError('archive', `${image.Config} is too large for an image configuration`);
  const { rootfs } = parseImageConfig(config.bytes);
  if (rootfs.diff_ids.length !== image.Layers.length)
    throw new ImageError('archive', `${image.Config} speaks of ${rootfs.diff_ids.length} layers, not of ${image.Layers.length}`);
  const layers = image.Layers.map((path) => {
    const { blob, head } = members.require(path);
    return { mediaType: { none: OCI.layer, gzip: OCI.layerGzip, zstd: OCI.layerZstd }[detectCompression(head)], ...blob };
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: { mediaType: OCI.config, digest: digestOf(config.bytes), size: config.bytes.length },
    layers,
  };
  return await storeJson(store, lease, OCI.manifest, manifest);
}

function fullName(name: string): string {
  return formatReference(withDefaultTag(parseReference(name)));
}

function cleanPath(path: string): string {
  return posix
    .normalize(toText(path))
    .replace(/^(?:\.\/|\/)+/, '')
    .replace(/\/$/, '');
}
