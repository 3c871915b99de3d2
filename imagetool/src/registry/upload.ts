/**
 * Sending blobs: skipped where they are, mounted from another repository of the same registry where that is known, in one request if small,
 * in chunks if large. A broken upload goes on at the byte the registry has, also in a later process, as long as the registry keeps the session.
 */

import type { Expected } from '../digest/verify.ts';
import { hasRemoteBlob } from './blobs.ts';
import type { RegistryClient, RegistryRequest } from './client.ts';
import { errorFromAnswer, RegistryError } from './errors.ts';
import { pullScope, pushScope } from './manifests.ts';
import { type HttpAnswer, header } from './transport.ts';

/** Blobs up to this size go in one request. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** Sent as a stream, so that its size costs no memory; what a registry that forgets cut requests can lose. */
const CHUNK_BYTES = 128 * 1024 * 1024;
/** Sessions of smaller blobs are not kept for a later process. */
const REMEMBERED_BYTES = 16 * 1024 * 1024;
const MAX_BREAKS = 5;

/** Remembers where an upload goes on, beyond the life of the process. */
export interface UploadSession {
  load(): string | undefined;
  save(location: string | undefined): void;
}

export interface UploadOptions {
  /** The blob's bytes from an offset on. The memory of a chunk may be used again when the next but one is asked for. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  /** Repositories of the same registry that are thought to have it. */
  readonly mountFrom?: readonly string[];
  readonly session?: UploadSession;
  /** Bytes sent so far; fewer than before where some were lost. */
  readonly onProgress?: (sentBytes: number) => void;
  readonly chunkBytes?: number;
}

export type UploadOutcome = { readonly kind: 'exists' | 'uploaded' } | { readonly kind: 'mounted'; readonly from: string };

/** Brings a blob into a repository. Throws RegistryError. */
export async function uploadBlob(
  client: RegistryClient,
  repository: string,
  blob: Expected,
  options: UploadOptions,
): Promise<UploadOutcome> {
  return await new Upload(client, repository, blob, options).run();
}

class Upload {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #blob: Expected;
  readonly #options: UploadOptions;

  constructor(client: RegistryClient, repository: string, blob: Expected, options: UploadOptions) {
    this.#client = client;
    this.#repository = repository;
    this.#blob = blob;
    this.#options = options;
  }

  async run(): Promise<UploadOutcome> {
    if (await this.#isThere()) return { kind: 'exists' };
    const kept = this.#session?.load();
    let location = kept;
    for (const from of kept === undefined ? (this.#options.mountFrom ?? []) : []) {
      const answer = await this.#start(`?mount=${this.#blob.digest}&from=${encodeURIComponent(from)}`, [pullScope(from)]);
      if (answer.status === 201) return { kind: 'mounted', from };
      // Not mounted, but a session has been opened all the same.
      location = this.#locationOf(answer);
      break;
    }
    const small = this.#blob.size <= SMALL_BYTES;
    if (small) await this.#sendWhole(location ?? (await this.#open()));
    else await this.#sendChunks(location, kept !== undefined);
    this.#session?.save(undefined);
    this.#options.onProgress?.(this.#blob.size);
    return { kind: 'uploaded' };
  }

  async #isThere(): Promise<boolean> {
    return await hasRemoteBlob(this.#client, this.#repository, this.#blob.digest, [pushScope(this.#repository)]);
  }

  async #sendWhole(location: string): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#options.open(0)) chunks.push(Buffer.from(chunk));
    const answer = await this.#client.send({ ...this.#closing(location), body: Buffer.concat(chunks) });
    if (answer.status !== 201 && answer.status !== 204) throw errorFromAnswer(this.#what, answer.status, await answer.body.text());
    await answer.body.dump();
  }

  async #sendChunks(known: string | undefined, isKept: boolean): Promise<void> {
    let state = isKept && known !== undefined ? await this.#askState(known) : undefined;
    state ??= { location: isKept || known === undefined ? await this.#open() : known, offset: 0 };
    for (let breaks = 0; ; ) {
      const before = state.offset;
      try {
        const next = await this.#sendFrom(state);
        if (next === undefined) return;
        state = next;
      } catch (error) {
        breaks = state.offset > before ? 1 : breaks + 1;
        if (breaks > MAX_BREAKS || !(error instanceof RegistryError) || !isResumable(error)) throw error;
        await this.#client.transport.wait(error.message, this.#client.transport.backoffMs(breaks));
        const left = await this.#askState(state.location);
        // The last answer may have been all that was lost.
        if (left === undefined && (await this.#isThere())) return;
        state = left ?? { location: await this.#open(), offset: 0 };
      }
    }
  }

  /**
   * Sends one chunk; the next state is what the registry says. The last chunk, which is often the only one, is part of the request that closes the
   * session: one request fewer, and registries need not take the blob's digest up again. Undefined after it.
   */
  async #sendFrom({ location, offset }: UploadState): Promise<UploadState | undefined> {
    const length = Math.min(this.#chunkBytes, this.#blob.size - offset);
    const end = offset + length;
    const isLast = end === this.#blob.size;
    const request = isLast ? this.#closing(location) : this.#request('PATCH', location);
    const answer = await this.#client.expect(
      {
        ...request,
        headers: {
          'content-type': 'application/octet-stream',
          ...(length === 0 ? {} : { 'content-range': `${offset}-${end - 1}` }),
          'content-length': String(length),
        },
        ...(length === 0 ? {} : { body: () => this.#bytes(offset, length) }),
        noRetry: true,
      },
      ...(isLast ? [201, 204] : [202, 201, 204]),
    );
    await answer.body.dump();
    if (isLast) return undefined;
    const next = { location: this.#locationOf(answer), offset: offsetFrom(answer) ?? end };
    this.#session?.save(next.location);
    this.#options.onProgress?.(next.offset);
    return next;
  }

  /**
   * Tells how far it has come as it goes: a slow line is seen to move. The last bytes are held back until the source has ended, which it does in an
   * error if the blob is damaged: then the request is cut, and the registry has nothing whole.
   */
  async *#bytes(offset: number, length: number): AsyncGenerator<Uint8Array, void, void> {
    const isLast = offset + length === this.#blob.size;
    let [sent, held]: [number, Uint8Array] = [0, new Uint8Array(0)];
    for await (const chunk of this.#options.open(offset)) {
      if (held.length > 0) yield held;
      sent += held.length;
      this.#options.onProgress?.(offset + sent);
      held = chunk.subarray(0, length - sent);
      if (!isLast && sent + held.length === length) break;
    }
    yield held;
  }

  /** Where the registry's session stands; undefined if it has forgotten it. */
  async #askState(location: string): Promise<UploadState | undefined> {
    const answer = await this.#client.send(this.#request('GET', location));
    await answer.body.dump();
    if (answer.status !== 204 && answer.status !== 202 && answer.status !== 200) return undefined;
    return { location: header(answer, 'location') === undefined ? location : this.#locationOf(answer), offset: offsetFrom(answer) ?? 0 };
  }

  async #open(): Promise<string> {
    const answer = await this.#start('', []);
    if (answer.status !== 202)
      throw new RegistryError('registry', `${this.#client.host} did not open an upload, but answered ${answer.status}`);
    const location = this.#locationOf(answer);
    this.#session?.save(location);
    return location;
  }

  async #start(query: string, moreScopes: readonly string[]): Promise<HttpAnswer> {
    const request = this.#request('POST', `/v2/${this.#repository}/blobs/uploads/${query}`);
    const answer = await this.#client.expect(
      { ...request, scopes: [...request.scopes, ...moreScopes], headers: { 'content-length': '0' } },
      201,
      202,
    );
    await answer.body.dump();
    return answer;
  }

  /** The request that makes a blob of what the session has and of its body. */
  #closing(location: string): RegistryRequest {
    const url = new URL(location);
    url.searchParams.set('digest', this.#blob.digest);
    return { ...this.#request('PUT', url.href), headers: { 'content-type': 'application/octet-stream' } };
  }

  #request(method: RegistryRequest['method'], path: string): RegistryRequest {
    return { method, path, scopes: [pushScope(this.#repository)], what: this.#what };
  }

  /** Not for what is sent again as soon as it is looked up. */
  get #session(): UploadSession | undefined {
    return this.#blob.size >= REMEMBERED_BYTES ? this.#options.session : undefined;
  }

  get #chunkBytes(): number {
    return this.#options.chunkBytes ?? CHUNK_BYTES;
  }

  get #what(): string {
    return `upload of ${this.#blob.digest} to ${this.#client.host}/${this.#repository}`;
  }

  #locationOf(answer: HttpAnswer): string {
    const location = header(answer, 'location');
    if (location === undefined) throw new RegistryError('registry', `${this.#what}: the registry did not say where to go on`);
    return new URL(location, answer.url).href;
  }
}

interface UploadState {
  readonly location: string;
  readonly offset: number;
}

/** `Range: 0-n` says that bytes 0 to n are there. Of an empty session registries say `0-0`, which means nothing: one byte is sent again then. */
function offsetFrom(answer: HttpAnswer): number | undefined {
  const match = /^(?:bytes=)?0-(\d+)$/.exec(header(answer, 'range') ?? '');
  if (match === null) return undefined;
  const last = Number(match[1]);
  return last === 0 ? 0 : last + 1;
}

function isResumable(error: RegistryError): boolean {
  return error.code === 'unreachable' || error.status === 416 || error.status === 404 || (error.status ?? 0) >= 500;
}
