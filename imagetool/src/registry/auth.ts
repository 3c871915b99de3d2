/**
 * Authorization for one registry: answers its challenges with basic credentials or with tokens of its token server
 * (distribution, docs/spec/auth/{token,oauth,scope}).
 */

import { isObject } from '../../../specs/image/shape.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { errorFromAnswer, RegistryError } from './errors.ts';
import { type HttpAnswer, isLoopback, type Transport } from './transport.ts';

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** A refresh token, from `identitytoken` or from a helper that gives `<token>` as the user. */
  readonly identityToken?: string;
  /** Used as a bearer token as it is. */
  readonly registryToken?: string;
}

/** Credentials for a registry, looked up when it asks for them. */
export type CredentialSource = () => Promise<Credentials | undefined>;

interface Token {
  readonly value: string;
  readonly renewAtMs: number;
}

/** Tokens without a life of their own live this long (token specification: 60 s). */
const DEFAULT_LIFE_S = 60;
const CLIENT_ID = 'tsimg';

export class Authorizer {
  readonly #transport: Transport;
  readonly #credentials: CredentialSource;
  readonly #isInsecure: boolean;
  readonly #tokens = new Map<string, Token>();
  readonly #running = new Map<string, Promise<Token>>();
  #bearer: Challenge | undefined;
  #basic: string | undefined;

  /** `isInsecure`: the user has allowed plain HTTP for this registry. */
  constructor(transport: Transport, credentials: CredentialSource, isInsecure: boolean) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#isInsecure = isInsecure;
  }

  /** What to send along, by what is known from former challenges; undefined: nothing yet. */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#basic !== undefined) return this.#basic;
    if (this.#bearer === undefined) return undefined;
    return `Bearer ${(await this.#token(this.#bearer, scopes)).value}`;
  }

  /**
   * Takes up the challenges of a 401. Afterwards `header` has an answer to them. Throws RegistryError `unauthorized` where there is none.
   * `refusedHeader` is what was sent: unless it has been renewed meanwhile, it is forgotten.
   */
  async challenged(answer: HttpAnswer, scopes: readonly string[], refusedHeader: string | undefined): Promise<void> {
    const value = answer.headers['www-authenticate'];
    const challenges = parseChallenges(Array.isArray(value) ? value : [value ?? '']);
    const bearer = challenges.find((one) => one.scheme === 'bearer' && one.parameters['realm'] !== undefined);
    if (bearer !== undefined) {
      this.#bearer = bearer;
      const key = this.#key(bearer, scopes);
      if (`Bearer ${this.#tokens.get(key)?.value}` === refusedHeader) this.#tokens.delete(key);
      return;
    }
    if (!challenges.some((one) => one.scheme === 'basic'))
      throw refused(answer.url, 'it asks for a kind of authorization this tool does not know');
    const credentials = await this.#credentials();
    if (credentials?.username === undefined) throw refused(answer.url, 'it asks for a user name and password, and none are stored');
    this.#basic = basicHeader(credentials);
  }

  async #token(challenge: Challenge, scopes: readonly string[]): Promise<Token> {
    const key = this.#key(challenge, scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined && Date.now() < known.renewAtMs) return known;
    // Many layers ask at once; one of them fetches.
    const running = this.#running.get(key) ?? this.#fetch(challenge, scopes).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    const token = await running;
    this.#tokens.set(key, token);
    return token;
  }

  #key(challenge: Challenge, scopes: readonly string[]): string {
    return [challenge.parameters['realm'], challenge.parameters['service'], ...this.#scopes(challenge, scopes)].join(' ');
  }

  /** What we need, and what the registry says we need where that is more. */
  #scopes(challenge: Challenge, scopes: readonly string[]): string[] {
    const asked = (challenge.parameters['scope'] ?? '').split(' ').filter((one) => one !== '');
    return scopes.length > 0 ? [...scopes] : asked;
  }

  async #fetch(challenge: Challenge, wanted: readonly string[]): Promise<Token> {
    const realm = new URL(challenge.parameters['realm'] ?? '');
    const credentials = await this.#credentials();
    if (credentials?.registryToken !== undefined) return { value: credentials.registryToken, renewAtMs: Number.POSITIVE_INFINITY };
    const isPlain = realm.protocol !== 'https:' && !isLoopback(realm.hostname) && !this.#isInsecure;
    if (isPlain) throw new RegistryError('unauthorized', `the registry wants a token from ${realm.origin}, over plain HTTP`);
    const scopes = this.#scopes(challenge, wanted);
    const service = challenge.parameters['service'];
    const answer =
      credentials?.identityToken === undefined
        ? await this.#get(realm, service, scopes, credentials)
        : await this.#post(realm, service, scopes, credentials.identityToken);
    const text = await answer.body.text();
    if (answer.status !== 200) throw errorFromAnswer(`token from ${realm.origin}`, answer.status, text);
    return readToken(text, realm);
  }

  async #get(
    realm: URL,
    service: string | undefined,
    scopes: readonly string[],
    credentials: Credentials | undefined,
  ): Promise<HttpAnswer> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    if (credentials?.username !== undefined) url.searchParams.set('account', credentials.username);
    const headers: Record<string, string> = credentials?.username === undefined ? {} : { authorization: basicHeader(credentials) };
    return await this.#transport.send({ method: 'GET', url: url.href, headers });
  }

  async #post(realm: URL, service: string | undefined, scopes: readonly string[], refreshToken: string): Promise<HttpAnswer> {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: CLIENT_ID,
      scope: scopes.join(' '),
    });
    if (service !== undefined) form.set('service', service);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return await this.#transport.send({ method: 'POST', url: realm.href, headers, body: form.toString() });
  }
}

function basicHeader({ username = '', password = '' }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function readToken(text: string, realm: URL): Token {
  const value: unknown = JSON.parse(text);
  const token = isObject(value) ? (value['token'] ?? value['access_token']) : undefined;
  if (!isObject(value) || typeof token !== 'string' || token === '')
    throw new RegistryError('unauthorized', `${realm.origin} answered without a token`);
  const life = typeof value['expires_in'] === 'number' && value['expires_in'] > 0 ? value['expires_in'] : DEFAULT_LIFE_S;
  // Renewed well before it ends, so that no request is under way with a dead one.
  return { value: token, renewAtMs: Date.now() + life * 800 };
}

function refused(url: string, reason: string): RegistryError {
  const { host } = new URL(url);
  return new RegistryError('unauthorized', `${host} refuses: ${reason}`, { status: 401, hint: `Log in: tsimg login ${host}` });
}
