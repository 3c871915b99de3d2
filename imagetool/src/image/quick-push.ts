/**
 * The usual push to a registry on this machine, without Node: one image, sent in the clear and without a login. Everything else (an index, a subject,
 * a mount from another repository, an upload to go on with, a login, an answer that is no success) is not done here but by Node, which begins anew: what
 * has been sent by then is there, and an upload that was broken off is gone on with where that is worth it.
 */

import { call } from '../../../runtime/src/linux/call.ts';
import { close, listDirectory, open, readFileIfExists } from '../../../runtime/src/linux/files.ts';
import { stat, statFd } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { MAX_MANIFEST_BYTES, type Manifest, parseIndex, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { librarySha256, type Sha256 } from '../digest/library-sha256.ts';
import { encodedOf } from '../digest/text.ts';
import type { Reference } from '../reference/reference.ts';
import { CERTIFICATE_DIRECTORIES, directoryNames, SYSTEM_CONF } from '../registry/configuration-places.ts';
import {
  type LoopbackAnswer,
  type LoopbackBody,
  LoopbackConnection,
  loopbackAddresses,
  runAll,
  type Waiting,
} from '../registry/loopback-http.ts';
import { entriesOf } from '../store/entries.ts';
import type { Layout } from '../store/layout.ts';
import { type Labels, labelsOf, setLabels } from '../store/quick-labels.ts';
import { findByName } from './find-by-name.ts';
import type { ProgressListener } from './progress.ts';

export interface QuickPushOptions {
  readonly layout: Layout;
  /** The image, as its user calls it. */
  readonly source: string;
  /** Where to: repository and tag. */
  readonly reference: Reference;
  readonly environment: Readonly<Record<string, string>>;
  readonly parallel: number;
  readonly userAgent: string;
  readonly onProgress: ProgressListener;
}

/** What is read, hashed and sent at a time; stays in the processor's cache. */
const CHUNK_BYTES = 128 * 1024;
/** As in registry/upload.ts: larger blobs are sent in several requests. */
const ONE_REQUEST_BYTES = 128 * 1024 * 1024;
/** As there: where a smaller upload goes on is not kept. */
const REMEMBERED_BYTES = 16 * 1024 * 1024;
const OCTETS = 'application/octet-stream';

/** Returns the image's descriptor, or undefined for what Node has to do; throws for what it has to do over. */
export function quickPush(sys: Sys, options: QuickPushOptions): Descriptor | undefined {
  const { layout, reference } = options;
  if (loopbackAddresses(reference.domain).length === 0 || isConfigured(sys, options)) return undefined;
  const sha256 = librarySha256(sys);
  const image = findByName(entriesOf(parseIndex(readFileIfExists(sys, layout.index) ?? '', OCI.index)), options.source)?.descriptor;
  if (sha256 === undefined || image === undefined || !isSha256(image) || image.size > MAX_MANIFEST_BYTES) return undefined;
  const document = parseManifestDocument(readFileIfExists(sys, blobFile(layout, image)) ?? '', image.mediaType);
  if (document.kind !== 'manifest' || document.manifest.subject !== undefined) return undefined;
  const blobs = blobsOf(document.manifest);
  if (!blobs.every((blob) => isSha256(blob) && blob.size <= ONE_REQUEST_BYTES && isUnknown(sys, options, blob.digest))) return undefined;
  new QuickPush(sys, sha256, options).run(image, blobs);
  return image;
}

function isSha256({ digest }: Descriptor): boolean {
  return digest.startsWith('sha256:');
}

function blobsOf({ config, layers }: Manifest): Descriptor[] {
  return [...new Map([config, ...layers].map((blob) => [blob.digest, blob])).values()];
}

function blobFile(layout: Layout, { digest }: Descriptor): string {
  return `${layout.blobs}/sha256/${encodedOf(digest)}`;
}

/** Whether anything is said about the registry that Node's client would obey. */
function isConfigured(sys: Sys, { reference: { domain }, environment }: QuickPushOptions): boolean {
  const directories = CERTIFICATE_DIRECTORIES.flatMap((directory) => directoryNames(domain).map((name) => `${directory}/${name}`));
  if (environment['CONTAINERS_REGISTRIES_CONF'] !== undefined || directories.some((path) => stat(sys, path) !== undefined)) return true;
  const host = domain.replace(/:\d+$/, '');
  const own = environment['HOME'] === undefined ? [] : [`${environment['HOME']}/.config/containers/registries.conf`];
  return [SYSTEM_CONF, ...own].some((file) =>
    [file, ...(stat(sys, `${file}.d`) === undefined ? [] : listDirectory(sys, `${file}.d`).map((name) => `${file}.d/${name}`))].some(
      (path) => readFileIfExists(sys, path)?.includes(host) === true,
    ),
  );
}

/** Whether there is neither an upload to go on with nor another repository that has the blob. */
function isUnknown(sys: Sys, { layout, reference: { domain, path } }: QuickPushOptions, digest: Digest): boolean {
  const labels = labelsOf(sys, layout, digest);
  const sources = labels[sourceKey(domain)] ?? '';
  return (labels[uploadKey({ domain, path })] ?? '') === '' && (sources === '' || sources === path);
}

const sourceKey = (domain: string): string => `source.${domain}`;
const uploadKey = ({ domain, path }: Pick<Reference, 'domain' | 'path'>): string => `upload.${domain}/${path}`;

class QuickPush {
  readonly #sys: Sys;
  readonly #sha256: Sha256;
  readonly #options: QuickPushOptions;
  readonly #queue: Descriptor[] = [];
  readonly #labels = new Map<Digest, Labels>();

  constructor(sys: Sys, sha256: Sha256, options: QuickPushOptions) {
    this.#sys = sys;
    this.#sha256 = sha256;
    this.#options = options;
  }

  run(image: Descriptor, blobs: readonly Descriptor[]): void {
    this.#queue.push(...blobs);
    const first = this.#connect();
    try {
      runAll(this.#sys, [this.#check(first)]);
      const others = Array.from({ length: Math.min(this.#options.parallel, blobs.length) - 1 }, () => this.#connect());
      try {
        runAll(
          this.#sys,
          [first, ...others].map((connection) => this.#work(connection)),
        );
      } finally {
        for (const connection of others) connection.close();
      }
      runAll(this.#sys, [this.#sendManifest(first, image)]);
    } finally {
      first.close();
    }
    setLabels(this.#sys, this.#options.layout, this.#labels);
  }

  #connect(): LoopbackConnection {
    const { reference, userAgent } = this.#options;
    return new LoopbackConnection(this.#sys, reference.domain, userAgent);
  }

  *#check(connection: LoopbackConnection): Waiting<void> {
    expectStatus(yield* connection.exchange({ method: 'GET', path: '/v2/' }), 200);
  }

  *#work(connection: LoopbackConnection): Waiting<void> {
    for (let blob = this.#queue.shift(); blob !== undefined; blob = this.#queue.shift()) {
      const outcome = yield* this.#push(connection, blob);
      const { domain, path } = this.#options.reference;
      if (labelsOf(this.#sys, this.#options.layout, blob.digest)[sourceKey(domain)] !== path)
        this.#label(blob.digest, { [sourceKey(domain)]: path });
      this.#options.onProgress({ kind: 'done', digest: blob.digest, outcome });
    }
  }

  *#push(connection: LoopbackConnection, blob: Descriptor): Waiting<'exists' | 'uploaded'> {
    const { reference, layout } = this.#options;
    const base = `/v2/${reference.path}/blobs/`;
    const known = yield* connection.exchange({ method: 'HEAD', path: `${base}${blob.digest}` });
    if (known.status === 200) return 'exists';
    expectStatus(known, 404);
    const opened = yield* connection.exchange({ method: 'POST', path: `${base}uploads/` });
    expectStatus(opened, 202);
    const location = pathOf(opened, reference.domain);
    if (blob.size >= REMEMBERED_BYTES) {
      // Before the first byte: whoever is killed goes on there.
      setLabels(this.#sys, layout, new Map([[blob.digest, { [uploadKey(reference)]: `http://${reference.domain}${location}` }]]));
      this.#label(blob.digest, { [uploadKey(reference)]: '' });
    }
    const file = open(this.#sys, blobFile(layout, blob));
    try {
      const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(blob.digest)}`;
      expectStatus(yield* connection.exchange({ method: 'PUT', path, contentType: OCTETS, body: this.#bodyOf(blob, file) }), 201);
    } finally {
      close(this.#sys, file);
    }
    return 'uploaded';
  }

  *#sendManifest(connection: LoopbackConnection, image: Descriptor): Waiting<void> {
    const { reference, layout } = this.#options;
    const file = open(this.#sys, blobFile(layout, image));
    try {
      const path = `/v2/${reference.path}/manifests/${reference.tag ?? image.digest}`;
      const body = this.#bodyOf(image, file);
      const answer = yield* connection.exchange({ method: 'PUT', path, contentType: image.mediaType, body });
      expectStatus(answer, 201);
      const stored = answer.headers.get('docker-content-digest');
      if (stored !== undefined && stored !== image.digest) throw new Error(`the registry has stored ${stored}`);
    } finally {
      close(this.#sys, file);
    }
  }

  /** The file's bytes; what has another size or digest ends in an error before its last bytes are given, so that it is nowhere a whole blob. */
  #bodyOf({ digest, size }: Descriptor, file: number): LoopbackBody {
    if (statFd(this.#sys, file, digest).sizeBytes !== size) throw new Error(`${digest} has another size`);
    const hash = this.#sha256.begin();
    const chunk = new ArrayBuffer(Math.min(CHUNK_BYTES, size));
    const start = this.#sys.address(chunk);
    let at = 0;
    return {
      length: size,
      next: () => {
        const length = call(this.#sys, 'pread64', digest, file, chunk, chunk.byteLength, at);
        if (length === 0) throw new Error(`${digest} has become shorter`);
        hash.update(start, length);
        at += length;
        if (at >= size && hash.hex() !== encodedOf(digest)) throw new Error(`${digest} has other content`);
        return { start, length };
      },
    };
  }

  #label(digest: Digest, labels: Labels): void {
    this.#labels.set(digest, { ...this.#labels.get(digest), ...labels });
  }
}

function expectStatus({ status }: LoopbackAnswer, expected: number): void {
  if (status !== expected) throw new Error(`the registry answers ${status}`);
}

/** Where the registry says that an upload goes on; it must be the registry itself. */
function pathOf({ headers }: LoopbackAnswer, domain: string): string {
  const location = headers.get('location') ?? '';
  const prefix = `http://${domain}`;
  const path = location.startsWith(`${prefix}/`) ? location.slice(prefix.length) : location;
  if (!path.startsWith('/') || path.startsWith('//')) throw new Error(`the upload goes on at ${location}`);
  return path;
}
