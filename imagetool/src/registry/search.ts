/** Searching a registry: docker's first API, which Docker Hub still answers and hardly any other registry does. */

import type { RegistryClient } from './client.ts';
import { errorFromAnswer, RegistryError } from './errors.ts';

export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
}

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_INDEX = 'https://index.docker.io';
/** What registries without a search answer, each in its way. */
const NO_SEARCH = new Set([400, 401, 403, 404, 405, 501]);

/** At most `limit` repositories. Throws RegistryError, also where the registry has no search. */
export async function searchRepositories(client: RegistryClient, term: string, limit: number): Promise<FoundRepository[]> {
  const isHub = client.host === DOCKER_HUB;
  const what = `search for ${JSON.stringify(term)} at ${client.host}`;
  const path = `${isHub ? DOCKER_HUB_INDEX : ''}/v1/search?q=${encodeURIComponent(term)}&n=${limit}`;
  const answer = await client.send({ method: 'GET', path, headers: { 'x-docker-token': 'true' }, scopes: [], what });
  const text = await answer.body.text();
  if (answer.status !== 200 && !isHub && NO_SEARCH.has(answer.status)) throw noSearch(client.host, answer.status);
  if (answer.status !== 200) throw errorFromAnswer(what, answer.status, text);
  return readResults(text, client.host).slice(0, limit);
}

function readResults(text: string, host: string): FoundRepository[] {
  let results: unknown;
  try {
    const value: unknown = JSON.parse(text);
    results = typeof value === 'object' && value !== null ? Reflect.get(value, 'results') : undefined;
  } catch {
    // A page for people, as registries with a web interface send for every path.
  }
  if (!Array.isArray(results)) throw noSearch(host, undefined);
  return results.flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null) return [];
    const field = (name: string): unknown => Reflect.get(one, name);
    const [name, description, stars] = [field('name'), field('description'), field('star_count')];
    if (typeof name !== 'string') return [];
    return [
      {
        name,
        description: typeof description === 'string' ? description : '',
        stars: typeof stars === 'number' ? stars : 0,
        isOfficial: field('is_official') === true,
      },
    ];
  });
}

function noSearch(host: string, status: number | undefined): RegistryError {
  return new RegistryError('registry', `${host} cannot be searched`, {
    hint: `tsimg catalog ${host} lists its repositories, where it lets itself be asked.`,
    ...(status === undefined ? {} : { status }),
  });
}
