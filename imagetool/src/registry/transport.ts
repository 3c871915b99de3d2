/**
 * HTTP to registries, and the only file that opens sockets: TLS settings per host, proxies of the environment, redirects without credentials for
 * other hosts, retries with backoff.
 */

import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { ImageError } from '../base/errors.ts';
import { RegistryError } from './errors.ts';

export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly skipVerify?: boolean;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * A function gives the bytes anew for each attempt; their number then stands in a content-length header. The memory of a chunk may be used again
   * as soon as the next one is asked for.
   */
  readonly body?: Uint8Array | string | (() => AsyncIterable<Uint8Array>);
  readonly signal?: AbortSignal;
  /** Redirects are followed for reading only. */
  readonly noRetry?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Must be read to its end or destroyed. */
  readonly body: Dispatcher.ResponseData['body'];
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

export interface TransportOptions {
  readonly tlsFor: (host: string) => TlsSettings;
  readonly userAgent: string;
  readonly maxAttempts?: number;
  /** Told why, and how long, before each wait. */
  readonly onRetry?: (reason: string, waitMs: number) => void;
  /** For tests. */
  readonly firstWaitMs?: number;
}

const MAX_REDIRECTS = 10;
const MAX_ATTEMPTS = 5;
const FIRST_WAIT_MS = 1000;
/** A registry that asks for more patience than this is answered by giving up. */
const MAX_RETRY_AFTER_MS = 120_000;
const STALL_MS = 60_000;
/** More than a socket buffers: undici asks for the next chunk when the kernel has taken all of a larger one. */
const BUFFERED_BYTES = 64 * 1024;
/**
 * undici parses answers with WebAssembly, which V8 would optimize after the first few headers, in as much time as a whole small pull takes. Bodies, which
 * are all the rest, hardly pass through it. Set when undici is loaded, since bytecode that was made beforehand is refused once flags have changed.
 */
const NEVER_OPTIMIZE_PARSER = '--wasm-tiering-budget=1000000000';
const RETRY_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);

export class Transport {
  readonly #options: TransportOptions;
  readonly #dispatchers = new Map<string, Dispatcher>();

  constructor(options: TransportOptions) {
    this.#options = options;
    setFlagsFromString(NEVER_OPTIMIZE_PARSER);
  }

  /** Sends; the answer may have any status. Throws RegistryError `unreachable` where there is none, after all attempts. */
  async send(wanted: HttpRequest): Promise<HttpAnswer> {
    const attempts = wanted.noRetry === true ? 1 : (this.#options.maxAttempts ?? MAX_ATTEMPTS);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(wanted);
      const isLast = attempt === attempts;
      if ('answer' in outcome) {
        if (isLast || !RETRY_STATUS.has(outcome.answer.status)) return outcome.answer;
        const waitMs = this.#waitMs(attempt, outcome.answer);
        if (waitMs === undefined) return outcome.answer;
        await outcome.answer.body.dump();
        await this.wait(`the registry answered ${outcome.answer.status}`, waitMs, wanted.signal);
      } else {
        if (isLast || !isTransient(outcome.error)) throw unreachable(wanted.url, outcome.error);
        await this.wait(messageOf(outcome.error), this.#waitMs(attempt) ?? 0, wanted.signal);
      }
    }
  }

  /** Waits before another attempt, saying so. Also for callers whose answer broke off in the middle. */
  async wait(reason: string, waitMs: number, signal?: AbortSignal): Promise<void> {
    this.#options.onRetry?.(reason, waitMs);
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }

  /** The wait before attempt n + 1: 1, 2, 4, 8 s, give or take a fifth, so that many clients do not come back as one. */
  backoffMs(attempt: number): number {
    return (this.#options.firstWaitMs ?? FIRST_WAIT_MS) * 2 ** (attempt - 1) * (0.8 + Math.random() * 0.4);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((one) => one.destroy()));
    this.#dispatchers.clear();
  }

  async #attempt(wanted: HttpRequest): Promise<{ answer: HttpAnswer } | { error: unknown }> {
    try {
      return { answer: await this.#follow(wanted) };
    } catch (error) {
      wanted.signal?.throwIfAborted();
      // Also what the bytes to be sent have wrong with them.
      if (error instanceof ImageError) throw error;
      return { error };
    }
  }

  async #follow(wanted: HttpRequest): Promise<HttpAnswer> {
    const first = new URL(wanted.url);
    let url = first;
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#once(wanted, url, first);
      const location = answer.headers['location'];
      const isRedirect = answer.status >= 300 && answer.status < 400 && answer.status !== 304 && typeof location === 'string';
      if (!isRedirect || (wanted.method !== 'GET' && wanted.method !== 'HEAD')) return answer;
      await answer.body.dump();
      if (redirects === MAX_REDIRECTS) throw new RegistryError('registry', `${first.href} redirects more than ${MAX_REDIRECTS} times`);
      const next = new URL(location, url);
      if (url.protocol === 'https:' && next.protocol !== 'https:')
        throw new RegistryError('registry', `${url.href} redirects to plain HTTP, ${next.origin}`);
      url = next;
    }
  }

  async #once(wanted: HttpRequest, url: URL, first: URL): Promise<HttpAnswer> {
    const headers: Record<string, string> = { 'user-agent': this.#options.userAgent, ...wanted.headers };
    // Blobs redirect to other hosts, which are none of the registry's credentials' business (and some answer 400 to the header).
    if (url.origin !== first.origin) delete headers['authorization'];
    const {
      statusCode,
      headers: answered,
      body,
    } = await this.#dispatcherFor(url).request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: wanted.method,
      headers,
      // undici would close the connection after each HEAD; registries know that its answers have no body.
      reset: false,
      headersTimeout: STALL_MS,
      bodyTimeout: STALL_MS,
      ...(wanted.body === undefined ? {} : { body: typeof wanted.body === 'function' ? asBody(keepingSmall(wanted.body())) : wanted.body }),
      ...(wanted.signal === undefined ? {} : { signal: wanted.signal }),
    });
    return { status: statusCode, headers: answered, body, url: url.href };
  }

  #dispatcherFor(url: URL): Dispatcher {
    const known = this.#dispatchers.get(url.host);
    if (known !== undefined) return known;
    const { skipVerify, ...tls } = this.#options.tlsFor(url.host);
    const connect = { ...tls, ...(skipVerify === true ? { rejectUnauthorized: false } : {}), timeout: 30_000 };
    const hasProxy = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => (process.env[name] ?? '') !== '');
    const made =
      hasProxy && !isLoopback(url.hostname)
        ? new EnvHttpProxyAgent({ connect, requestTls: connect })
        : new Agent({ connect, connections: 16 });
    this.#dispatchers.set(url.host, made);
    return made;
  }

  #waitMs(attempt: number, answer?: HttpAnswer): number | undefined {
    const asked = retryAfterMs(answer?.headers['retry-after']);
    if (asked === undefined) return this.backoffMs(attempt);
    return asked > MAX_RETRY_AFTER_MS ? undefined : Math.max(asked, 0);
  }
}

/** undici takes any async iterable, as its documentation says; its types name only streams, which would read ahead. */
function asBody(chunks: AsyncIterable<Uint8Array>): Readable {
  return chunks as unknown as Readable;
}

/** Copies of chunks that the socket may still have when the next one is asked for. */
async function* keepingSmall(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of body) yield chunk.length > BUFFERED_BYTES ? chunk : Buffer.from(chunk);
}

/** `localhost`, 127.0.0.0/8, ::1: where docker allows plain HTTP without being told. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === '[::1]' || hostname === '::1';
}

/** A header's only or first value. */
export function header(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function retryAfterMs(value: string | string[] | undefined): number | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date - Date.now();
}

const PERMANENT = /^(?:ENOTFOUND|CERT_|ERR_TLS|ERR_SSL|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HPE_|ECONNREFUSED)/;

/** Whether trying again may help. A refused connection or a bad certificate stays what it is. */
function isTransient(error: unknown): boolean {
  return !PERMANENT.test(codeOf(error));
}

export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  // Ours have a code as well, and the system's behind them.
  if ('cause' in error && error.cause !== undefined) return codeOf(error.cause);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Not by `instanceof`: errors of Node's own come from outside a test runner's realm. */
function messageOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  return message === '' ? codeOf(error) : message;
}

/** Whether a failure is the certificate's. */
export function isCertificateError(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(codeOf(error));
}

function unreachable(url: string, cause: unknown): RegistryError {
  const { origin, host } = new URL(url);
  const hint = isCertificateError(cause)
    ? { hint: `Put its authority's certificate into /etc/docker/certs.d/${host}, or use --insecure ${host}.` }
    : {};
  return new RegistryError('unreachable', `cannot reach ${origin}: ${messageOf(cause)}`, { cause, ...hint });
}
