/** One registry: where it is, authorization, and requests below /v2/. */

import { Authorizer, type CredentialSource } from './auth.ts';
import { errorFromAnswer, RegistryError } from './errors.ts';
import { type HttpAnswer, type HttpRequest, isCertificateError, isLoopback, type Transport } from './transport.ts';

export interface RegistryClientOptions {
  /** As in a reference: `docker.io`, `localhost:5000`. */
  readonly host: string;
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  /** Plain HTTP is allowed where HTTPS is not spoken. Always so for loopback addresses, as with docker. */
  readonly isInsecure?: boolean;
  /** The registry's root URL, where it need not be found out. */
  readonly base?: string;
  /** Asked before the registry for what is only read, in this order. */
  readonly standIns?: readonly StandIn[];
  /** The registry itself is never asked for what is only read. */
  readonly isReplaced?: boolean;
}

/** Another place that may have what a registry has. Undefined: it has not. */
export interface StandIn {
  answer(wanted: RegistryRequest): Promise<HttpAnswer | undefined>;
}

export interface RegistryRequest extends Omit<HttpRequest, 'url'> {
  /** Below the registry's root, or a whole URL it has given. */
  readonly path: string;
  /** Token scopes: `repository:a/b:pull`. */
  readonly scopes: readonly string[];
  /** For messages. */
  readonly what: string;
  /** The content counts, whoever has it: mirrors are asked first. */
  readonly mayBeElsewhere?: boolean;
}

/** Once bare, once with what the challenge asks for, once more where that has expired on the way. */
const MAX_ATTEMPTS = 3;
const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_REGISTRY = 'registry-1.docker.io';

export class RegistryClient {
  readonly host: string;
  readonly transport: Transport;
  readonly #options: RegistryClientOptions;
  readonly #auth: Authorizer;
  #base: Promise<string> | undefined;

  constructor(options: RegistryClientOptions) {
    this.host = options.host;
    this.transport = options.transport;
    this.#options = options;
    this.#auth = new Authorizer(options.transport, options.credentials, options.isInsecure === true);
  }

  /** The registry's root URL, `https://host`, found out at the first request. */
  async base(): Promise<string> {
    this.#base ??= this.#options.base === undefined ? this.#findBase() : Promise.resolve(this.#options.base);
    return await this.#base;
  }

  /** Sends with authorization, renewing it if it is refused. The answer may have any other status. */
  async send(wanted: RegistryRequest): Promise<HttpAnswer> {
    if (wanted.mayBeElsewhere === true) {
      for (const standIn of this.#options.standIns ?? []) {
        const answer = await standIn.answer(wanted);
        if (answer !== undefined) return answer;
      }
      if (this.#options.isReplaced === true)
        throw new RegistryError('not-found', `${wanted.what}: none of the places that registries.conf names in its stead has it`);
    }
    const url = new URL(wanted.path, await this.base()).href;
    for (let attempt = 1; ; attempt += 1) {
      const authorization = await this.#authorizationFor(wanted, url);
      const headers = { ...wanted.headers, ...(authorization === undefined ? {} : { authorization }) };
      const answer = await this.transport.send({ ...wanted, url, headers });
      if (answer.status !== 401 || attempt === MAX_ATTEMPTS) return answer;
      await answer.body.dump();
      await this.#auth.challenged(answer, wanted.scopes, authorization);
    }
  }

  /** As `send`, throwing for a status that is not among those expected. */
  async expect(wanted: RegistryRequest, ...statuses: readonly number[]): Promise<HttpAnswer> {
    const answer = await this.send(wanted);
    if (statuses.includes(answer.status)) return answer;
    throw errorFromAnswer(wanted.what, answer.status, await textOf(answer));
  }

  /** Whether the registry is there and lets us in: what `login` checks. Throws RegistryError. */
  async ping(): Promise<void> {
    const answer = await this.expect({ method: 'GET', path: '/v2/', scopes: [], what: this.host }, 200);
    await answer.body.dump();
  }

  /** A URL the registry gave for an upload may lie elsewhere; it gets what we know only if it is the registry itself. */
  async #authorizationFor(wanted: RegistryRequest, url: string): Promise<string | undefined> {
    return new URL(url).origin === new URL(await this.base()).origin ? await this.#auth.header(wanted.scopes) : undefined;
  }

  async #findBase(): Promise<string> {
    const host = this.host === DOCKER_HUB ? DOCKER_HUB_REGISTRY : this.host;
    const [secure, plain] = [`https://${host}`, `http://${host}`];
    const isLocal = isLoopback(new URL(secure).hostname);
    if (this.#options.isInsecure !== true && !isLocal) return secure;
    // Nobody listens in on loopback, and what is asked there is nothing to hide.
    if (isLocal && (await this.#speaksRegistry(plain))) return plain;
    try {
      await this.#askVersion(secure);
      return secure;
    } catch (error) {
      // A registry that speaks TLS, but not to us, is not asked in the clear.
      if (!(error instanceof RegistryError) || isCertificateError(error)) throw error;
      return plain;
    }
  }

  /** A TLS server answers a plain request with an error or not at all. */
  async #speaksRegistry(base: string): Promise<boolean> {
    try {
      const status = await this.#askVersion(base);
      return status === 200 || status === 401;
    } catch (error) {
      if (error instanceof RegistryError) return false;
      throw error;
    }
  }

  async #askVersion(base: string): Promise<number> {
    const answer = await this.transport.send({ method: 'GET', url: `${base}/v2/`, noRetry: true });
    await answer.body.dump();
    return answer.status;
  }
}

const MAX_ERROR_BYTES = 64 * 1024;

async function textOf(answer: HttpAnswer): Promise<string> {
  let text = '';
  for await (const chunk of answer.body) {
    text += String(chunk);
    if (text.length > MAX_ERROR_BYTES) break;
  }
  return text;
}
