/** Reading blobs of a repository, going on where the connection broke. */

import type { Digest } from '../../../specs/image/digest.ts';
import type { Expected } from '../digest/verify.ts';
import type { RegistryClient } from './client.ts';
import { errorFromAnswer, RegistryError } from './errors.ts';
import { pullScope } from './manifests.ts';
import { codeOf, type HttpAnswer, header } from './transport.ts';

/** Breaks in a row, without a byte between them, after which a download is given up. */
const MAX_BREAKS = 5;

export interface ReadBlobOptions {
  /** Bytes we have already. */
  readonly offset?: number;
  readonly signal?: AbortSignal;
}

/**
 * A blob's bytes from an offset on. Broken connections and expired tokens are dealt with inside: no byte comes twice, none is left out. Size and digest
 * are the caller's to check. Throws RegistryError.
 */
export async function* readBlob(
  client: RegistryClient,
  repository: string,
  blob: Expected,
  options: ReadBlobOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  let offset = options.offset ?? 0;
  for (let breaks = 0; offset < blob.size; ) {
    const before = offset;
    try {
      const body = await openAt(client, repository, blob, { ...options, offset });
      for await (const chunk of body) {
        yield chunk;
        offset += chunk.length;
      }
      if (offset < blob.size) throw new RegistryError('unreachable', 'the connection ended early');
    } catch (error) {
      options.signal?.throwIfAborted();
      const isOurs = error instanceof RegistryError && error.code !== 'unreachable';
      breaks = offset > before ? 1 : breaks + 1;
      if (isOurs || breaks > MAX_BREAKS || !isBreak(error)) throw error;
      await client.transport.wait(
        `the connection broke at byte ${offset} of ${blob.size}`,
        client.transport.backoffMs(breaks),
        options.signal,
      );
    }
  }
}

/** Whether a repository has a blob. */
export async function hasRemoteBlob(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  scopes: readonly string[],
): Promise<boolean> {
  const what = `blob ${client.host}/${repository}@${digest}`;
  const answer = await client.send({ method: 'HEAD', path: `/v2/${repository}/blobs/${digest}`, scopes, what });
  await answer.body.dump();
  if (answer.status === 200) return true;
  if (answer.status === 404) return false;
  throw errorFromAnswer(what, answer.status, '');
}

async function openAt(
  client: RegistryClient,
  repository: string,
  blob: Expected,
  options: ReadBlobOptions & { readonly offset: number },
): Promise<AsyncIterable<Uint8Array>> {
  const { offset } = options;
  const what = `blob ${client.host}/${repository}@${blob.digest}`;
  const answer = await client.send({
    method: 'GET',
    path: `/v2/${repository}/blobs/${blob.digest}`,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    scopes: [pullScope(repository)],
    what,
    mayBeElsewhere: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (answer.status === 206) {
    checkRange(answer, blob, offset);
    return answer.body;
  }
  if (answer.status !== 200) throw errorFromAnswer(what, answer.status, await answer.body.text());
  const length = header(answer, 'content-length');
  if (length !== undefined && Number(length) !== blob.size) {
    answer.body.destroy();
    throw new RegistryError('registry', `${what} is ${length} bytes long at the registry; the image says ${blob.size}`);
  }
  // A server without ranges sends all of it again.
  return offset === 0 ? answer.body : skip(answer.body, offset);
}

function checkRange(answer: HttpAnswer, blob: Expected, offset: number): void {
  const text = header(answer, 'content-range') ?? '';
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text);
  const isRight = match !== null && Number(match[1]) === offset && (match[3] === '*' || Number(match[3]) === blob.size);
  if (isRight) return;
  answer.body.destroy();
  throw new RegistryError('registry', `asked for bytes ${offset} and on of ${blob.digest}, the registry sent "${text}"`);
}

async function* skip(body: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void, void> {
  let left = count;
  for await (const chunk of body) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Errors of sockets, and of HTTP bodies that end too early. Anything else is the consumer's, thrown into the loop. */
function isBreak(error: unknown): boolean {
  if (error instanceof RegistryError) return error.code === 'unreachable';
  return (
    /^(?:UND_ERR|ECONN|EPIPE|ETIMEDOUT|ENET|EHOST|EAI_AGAIN|HPE_)/.test(codeOf(error)) ||
    (error instanceof Error && error.message === 'terminated')
  );
}
