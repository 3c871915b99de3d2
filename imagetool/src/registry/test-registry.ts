/**
 * For tests: a registry in this process that keeps to distribution-spec 1.1 strictly, and misbehaves on demand. Contents are in memory.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { asDigest, type Digest } from '../../../specs/image/digest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { algorithmOf, digestOf } from '../digest/digest.ts';

export interface Misbehaviour {
  /** Cut the connection after this many bytes of a blob's answer, this many times in all. */
  cut?: { afterBytes: number; times: number };
  /** Answer a request whose path matches with this, while it returns one. */
  answer?: (request: IncomingMessage) => { status: number; headers?: Record<string, string>; body?: string } | undefined;
  /** Send blobs from this origin instead, by redirect. */
  redirectBlobsTo?: string;
  ignoreRange?: boolean;
  /** Bytes of each blob that are sent changed. */
  corrupt?: boolean;
  pageSize?: number;
  /** As registries of before distribution-spec 1.1: no list of referrers. */
  noReferrers?: boolean;
  /** Blobs go out and come in so many bytes at a time, with a wait after each piece. */
  throttle?: { pieceBytes: number; waitMs: number };
  /** Accept this much of a chunk and cut, this many times. */
  cutUpload?: { afterBytes: number; times: number };
}

export interface AuthSettings {
  readonly username: string;
  readonly password: string;
  readonly kind: 'basic' | 'token';
  /** Requests a token is good for. */
  readonly tokenUses?: number;
}

interface Repository {
  readonly blobs: Map<Digest, Buffer>;
  readonly manifests: Map<string, { mediaType: string; bytes: Buffer }>;
}

export class TestRegistry {
  readonly repositories = new Map<string, Repository>();
  /** Lines `METHOD path`, in order. */
  readonly log: string[] = [];
  /** Authorization headers as they came. */
  readonly authorizations: (string | undefined)[] = [];
  /** Bytes of blobs sent, cut ones included. */
  blobBytesSent = 0;
  /** Bytes of blobs that have come and were kept, those of uploads that were broken off included. */
  blobBytesReceived = 0;
  /** Where each answer with a blob began, in order. */
  readonly blobStarts: { readonly digest: string; readonly start: number }[] = [];
  misbehaviour: Misbehaviour = {};
  auth: AuthSettings | undefined;
  readonly #uploads = new Map<string, { repository: string; bytes: Buffer }>();
  readonly #tokens = new Map<string, number>();
  readonly #server: Server;
  #serial = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => request.socket.destroy());
    });
  }

  /** `127.0.0.1:port`. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.host;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  repository(name: string): Repository {
    const known = this.repositories.get(name) ?? {
      blobs: new Map<Digest, Buffer>(),
      manifests: new Map<string, { mediaType: string; bytes: Buffer }>(),
    };
    this.repositories.set(name, known);
    return known;
  }

  putBlob(repository: string, bytes: Buffer): { digest: Digest; size: number } {
    const digest = digestOf(bytes);
    this.repository(repository).blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  putManifest(repository: string, tag: string, mediaType: string, value: object): { mediaType: string; digest: Digest; size: number } {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    for (const key of [tag, digest]) this.repository(repository).manifests.set(key, { mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${this.host}`);
    this.log.push(`${request.method} ${url.pathname}${url.search}`);
    this.authorizations.push(request.headers.authorization);
    const wrong = this.misbehaviour.answer?.(request);
    if (wrong !== undefined) {
      response.writeHead(wrong.status, wrong.headers);
      response.end(wrong.body);
      return;
    }
    if (url.pathname === '/token') {
      this.#token(request, response, url);
      return;
    }
    if (!this.#isAllowed(request)) {
      this.#challenge(response, url);
      return;
    }
    if (url.pathname === '/v2/') {
      end(response, 200);
      return;
    }
    const [, name = '', kind = '', rest = ''] = /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    if (kind === 'manifests') await this.#manifests(request, response, { name, reference: rest });
    else if (kind === 'tags') this.#tags(response, name, url);
    else if (kind === 'referrers' && this.misbehaviour.noReferrers !== true) this.#referrers(response, name, asDigest(rest));
    else if (kind === 'blobs' && rest.startsWith('uploads/'))
      await this.#upload(request, response, { name, id: rest.slice('uploads/'.length), url });
    else if (kind === 'blobs') this.#blob(request, response, { name, digest: rest });
    else fail(response, 404, 'NAME_UNKNOWN');
  }

  #isAllowed(request: IncomingMessage): boolean {
    if (this.auth === undefined) return true;
    const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
    if (this.auth.kind === 'basic') return scheme === 'Basic' && value === this.#basic;
    const uses = this.#tokens.get(value) ?? 0;
    this.#tokens.set(value, uses - 1);
    return scheme === 'Bearer' && uses > 0;
  }

  get #basic(): string {
    return Buffer.from(`${this.auth?.username}:${this.auth?.password}`).toString('base64');
  }

  #challenge(response: ServerResponse, url: URL): void {
    const name = /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1] ?? '';
    const bearer = `Bearer realm="http://${this.host}/token",service="test",scope="repository:${name}:pull,push"`;
    response.setHeader('www-authenticate', this.auth?.kind === 'basic' ? 'Basic realm="test"' : bearer);
    fail(response, 401, 'UNAUTHORIZED');
  }

  #token(request: IncomingMessage, response: ServerResponse, url: URL): void {
    if (request.headers.authorization !== `Basic ${this.#basic}`) {
      fail(response, 401, 'UNAUTHORIZED');
      return;
    }
    this.#serial += 1;
    const token = `token-${this.#serial}-${url.searchParams.getAll('scope').join('+')}`;
    this.#tokens.set(token, this.auth?.tokenUses ?? 1_000_000);
    end(response, 200, { 'content-type': 'application/json' }, JSON.stringify({ token, expires_in: 300 }));
  }

  async #manifests(
    request: IncomingMessage,
    response: ServerResponse,
    { name, reference }: { name: string; reference: string },
  ): Promise<void> {
    const { manifests, blobs } = this.repository(name);
    if (request.method === 'PUT') {
      const bytes = await bodyOf(request);
      const value = JSON.parse(bytes.toString()) as {
        config?: { digest: Digest };
        layers?: { digest: Digest }[];
        manifests?: { digest: Digest }[];
        subject?: { digest: Digest };
      };
      const needed = [value.config, ...(value.layers ?? [])].flatMap((one) => (one === undefined ? [] : [one.digest]));
      const isComplete = needed.every((digest) => blobs.has(digest)) && (value.manifests ?? []).every((one) => manifests.has(one.digest));
      if (!isComplete) {
        fail(response, 400, 'MANIFEST_BLOB_UNKNOWN');
        return;
      }
      const digest = digestOf(bytes);
      for (const key of [reference, digest]) manifests.set(key, { mediaType: request.headers['content-type'] ?? '', bytes });
      const subject: Record<string, string> =
        value.subject === undefined || this.misbehaviour.noReferrers === true ? {} : { 'oci-subject': value.subject.digest };
      end(response, 201, { location: `/v2/${name}/manifests/${digest}`, 'docker-content-digest': digest, ...subject });
      return;
    }
    const found = manifests.get(reference);
    if (found === undefined) {
      fail(response, 404, 'MANIFEST_UNKNOWN');
      return;
    }
    const headers = {
      'content-type': found.mediaType,
      'docker-content-digest': digestOf(found.bytes),
      'content-length': String(found.bytes.length),
    };
    end(response, 200, headers, request.method === 'HEAD' ? undefined : found.bytes);
  }

  #referrers(response: ServerResponse, name: string, subject: Digest): void {
    const found = new Map<Digest, object>();
    for (const { mediaType, bytes } of this.repository(name).manifests.values()) {
      const value = JSON.parse(bytes.toString()) as { subject?: { digest: Digest }; artifactType?: string };
      const digest = digestOf(bytes);
      if (value.subject?.digest === subject) found.set(digest, { mediaType, digest, size: bytes.length, artifactType: value.artifactType });
    }
    const index = { schemaVersion: 2, mediaType: OCI.index, manifests: [...found.values()] };
    end(response, 200, { 'content-type': OCI.index }, JSON.stringify(index));
  }

  #tags(response: ServerResponse, name: string, url: URL): void {
    const all = [...this.repository(name).manifests.keys()].filter((key) => !key.includes(':')).sort();
    const last = url.searchParams.get('last');
    const from = last === null ? 0 : all.findIndex((one) => one > last);
    const size = this.misbehaviour.pageSize ?? all.length;
    const page = from < 0 ? [] : all.slice(from, from + size);
    const isMore = from >= 0 && from + size < all.length;
    const link: Record<string, string> = isMore ? { link: `</v2/${name}/tags/list?last=${page.at(-1)}>; rel="next"` } : {};
    end(response, 200, { 'content-type': 'application/json', ...link }, JSON.stringify({ name, tags: page }));
  }

  #blob(request: IncomingMessage, response: ServerResponse, { name, digest }: { name: string; digest: string }): void {
    const whole = this.repository(name).blobs.get(asDigest(digest));
    if (whole === undefined) {
      fail(response, 404, 'BLOB_UNKNOWN');
      return;
    }
    if (request.method === 'HEAD') {
      end(response, 200, { 'content-length': String(whole.length), 'docker-content-digest': digest });
      return;
    }
    if (this.misbehaviour.redirectBlobsTo !== undefined) {
      end(response, 307, { location: `${this.misbehaviour.redirectBlobsTo}/v2/${name}/blobs/${digest}` });
      return;
    }
    const start = this.misbehaviour.ignoreRange === true ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start > 0 && start >= whole.length) {
      end(response, 416, { 'content-range': `bytes */${whole.length}` });
      return;
    }
    const bytes = Buffer.from(whole.subarray(start));
    if (this.misbehaviour.corrupt === true) bytes[0] = (bytes[0] ?? 0) ^ 1;
    const range: Record<string, string> = start > 0 ? { 'content-range': `bytes ${start}-${whole.length - 1}/${whole.length}` } : {};
    this.blobStarts.push({ digest, start });
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': String(bytes.length), ...range });
    if (this.misbehaviour.throttle === undefined) this.#send(response, bytes);
    else this.#sendSlowly(response, bytes, this.misbehaviour.throttle).catch(() => response.destroy());
  }

  async #sendSlowly(
    response: ServerResponse,
    bytes: Buffer,
    { pieceBytes, waitMs }: { pieceBytes: number; waitMs: number },
  ): Promise<void> {
    for (let at = 0; at < bytes.length && !response.destroyed; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      this.blobBytesSent += piece.length;
      // When the socket has taken it, or is gone.
      await new Promise<void>((done) => response.write(piece, () => done()));
      await sleep(waitMs);
    }
    response.end();
  }

  #send(response: ServerResponse, bytes: Buffer): void {
    const { cut } = this.misbehaviour;
    if (cut === undefined || cut.times <= 0 || bytes.length <= cut.afterBytes) {
      this.blobBytesSent += bytes.length;
      response.end(bytes);
      return;
    }
    cut.times -= 1;
    this.blobBytesSent += cut.afterBytes;
    response.write(bytes.subarray(0, cut.afterBytes), () => setTimeout(() => response.destroy(), 5));
  }

  async #upload(request: IncomingMessage, response: ServerResponse, target: { name: string; id: string; url: URL }): Promise<void> {
    if (request.method === 'POST') {
      this.#startUpload(response, target);
      return;
    }
    const upload = this.#uploads.get(target.id);
    if (upload === undefined) {
      fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
      return;
    }
    const location = `/v2/${target.name}/blobs/uploads/${target.id}?state=${upload.bytes.length}`;
    const where = () => ({ location, ...(upload.bytes.length === 0 ? {} : { range: `0-${upload.bytes.length - 1}` }) });
    if (request.method === 'GET') {
      end(response, 204, where());
      return;
    }
    // Strict: chunks come in order, each where the last one ended. Only a blob in one request needs no range.
    const range = request.headers['content-range'];
    const start = range === undefined && request.method === 'PUT' ? upload.bytes.length : Number(/^(\d+)-\d+$/.exec(range ?? '')?.[1]);
    if (start !== upload.bytes.length) {
      end(response, 416, where());
      return;
    }
    if (!(await this.#receive(request, upload))) return;
    if (request.method === 'PATCH') {
      end(response, 202, where());
      return;
    }
    const { bytes } = upload;
    const digest = asDigest(target.url.searchParams.get('digest') ?? '');
    if (digestOf(bytes, algorithmOf(digest)) !== digest) {
      fail(response, 400, 'DIGEST_INVALID');
      return;
    }
    this.#uploads.delete(target.id);
    this.repository(target.name).blobs.set(digest, bytes);
    end(response, 201, { location: `/v2/${target.name}/blobs/${digest}` });
  }

  /** Returns false after cutting the connection. */
  async #receive(request: IncomingMessage, upload: { bytes: Buffer }): Promise<boolean> {
    const { cutUpload, throttle } = this.misbehaviour;
    const parts = [upload.bytes];
    let room = cutUpload !== undefined && cutUpload.times > 0 ? cutUpload.afterBytes : Number.POSITIVE_INFINITY;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        const part = chunk.subarray(0, room);
        parts.push(part);
        room -= part.length;
        this.blobBytesReceived += part.length;
        if (part.length < chunk.length) {
          if (cutUpload !== undefined) cutUpload.times -= 1;
          request.socket.destroy();
          return false;
        }
        if (throttle !== undefined) await sleep(throttle.waitMs);
      }
      return true;
    } catch {
      // The client has gone: what came of it stays.
      return false;
    } finally {
      upload.bytes = Buffer.concat(parts);
    }
  }

  #startUpload(response: ServerResponse, { name, url }: { name: string; url: URL }): void {
    const [mount, from] = [url.searchParams.get('mount'), url.searchParams.get('from')];
    const source = mount === null || from === null ? undefined : this.repositories.get(from)?.blobs.get(asDigest(mount));
    if (mount !== null && source !== undefined) {
      this.repository(name).blobs.set(asDigest(mount), source);
      end(response, 201, { location: `/v2/${name}/blobs/${mount}` });
      return;
    }
    this.#serial += 1;
    const id = `upload-${this.#serial}`;
    this.#uploads.set(id, { repository: name, bytes: Buffer.alloc(0) });
    end(response, 202, { location: `/v2/${name}/blobs/uploads/${id}?state=0` });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}, body?: string | Buffer): void {
  response.writeHead(status, headers);
  response.end(body);
}

function fail(response: ServerResponse, status: number, code: string): void {
  end(response, status, { 'content-type': 'application/json' }, JSON.stringify({ errors: [{ code, message: 'no' }] }));
}
