/** A mirror asked in a registry's place. Whatever it answers but the content, the next one is asked, and in the end the registry itself. */

import { isDigest } from '../../../specs/image/digest.ts';
import type { CredentialSource } from './auth.ts';
import { RegistryClient, type RegistryRequest, type StandIn } from './client.ts';
import { RegistryError } from './errors.ts';
import type { MirrorHost } from './hosts.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const REQUEST = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/;

export class Mirror implements StandIn {
  readonly #host: MirrorHost;
  readonly #client: RegistryClient;

  constructor(host: MirrorHost, transport: Transport, credentials: CredentialSource) {
    this.#host = host;
    this.#client = new RegistryClient({
      host: host.host,
      transport,
      credentials,
      isInsecure: host.isInsecure,
      ...(host.scheme === undefined ? {} : { base: `${host.scheme}://${host.host}` }),
    });
  }

  async answer(wanted: RegistryRequest): Promise<HttpAnswer | undefined> {
    const request = this.#translate(wanted);
    if (request === undefined) return undefined;
    try {
      const answer = await this.#client.send(request);
      if (answer.status < 300) return answer;
      await answer.body.dump();
      return undefined;
    } catch (error) {
      wanted.signal?.throwIfAborted();
      if (error instanceof RegistryError) return undefined;
      throw error;
    }
  }

  /** Undefined for what this mirror is not to be asked for. */
  #translate(wanted: RegistryRequest): RegistryRequest | undefined {
    const [, repository, kind = '', what = ''] = REQUEST.exec(wanted.path) ?? [];
    if (repository === undefined || !this.#host.capabilities.has(isDigest(what) ? 'pull' : 'resolve')) return undefined;
    const there = this.#repository(repository);
    if (there === undefined) return undefined;
    const query = this.#host.namespace === undefined ? '' : `?ns=${encodeURIComponent(this.#host.namespace)}`;
    return {
      ...wanted,
      path: `${this.#host.apiPath}/${there}/${kind}/${what}${query}`,
      headers: { ...wanted.headers, ...this.#host.headers },
      scopes: wanted.scopes.map((scope) => scope.replace(`:${repository}:`, `:${there}:`)),
      // There is another place to ask.
      noRetry: true,
    };
  }

  #repository(repository: string): string | undefined {
    const { from, to } = this.#host.repositories;
    if (from !== '' && repository !== from && !repository.startsWith(`${from}/`)) return undefined;
    const rest = from === '' ? repository : repository.slice(from.length + 1);
    return [to, rest].filter((part) => part !== '').join('/');
  }
}
