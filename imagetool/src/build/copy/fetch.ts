/** Files of web servers, for ADD and for contexts. */

import { createHash } from 'node:crypto';
import { closeSync, openSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ImageError } from '../../base/errors.ts';

const MAX_REDIRECTS = 10;
/** As docker calls what a URL gives no name. */
const NAMELESS = 'download';

export function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}

export interface FetchedFile {
  readonly path: string;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
}

/** What a file is called that comes from a URL. */
export function nameInUrl(url: string): string {
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '').replaceAll(/[/\0]/g, '_');
  return name === '' || name === '.' || name === '..' ? NAMELESS : name;
}

/** Into a directory, by the proxies of the environment. Throws ImageError `add` for what cannot be fetched, and `checksum`. */
export async function fetchUrl(url: string, directory: string, checksum: string | undefined, signal: AbortSignal): Promise<FetchedFile> {
  const { EnvHttpProxyAgent, request } = await import('undici');
  const dispatcher = new EnvHttpProxyAgent();
  try {
    let at = url;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const response = await request(at, { signal, dispatcher }).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw new ImageError('add', `${at} cannot be fetched: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
      const location = response.headers['location'];
      if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
        await response.body.dump();
        at = new URL(location, at).href;
        continue;
      }
      if (response.statusCode !== 200) {
        await response.body.dump();
        throw new ImageError('add', `${at}: the server answers ${response.statusCode}`);
      }
      const path = join(directory, nameInUrl(url));
      const digest = await save(response.body, path);
      checkDigest(url, digest, checksum);
      const modified = Date.parse(String(response.headers['last-modified'] ?? ''));
      const seconds = Number.isNaN(modified) ? 0 : modified / 1000;
      utimesSync(path, seconds, seconds);
      return { path, digest };
    }
    throw new ImageError('add', `${url} redirects in circles`);
  } finally {
    await dispatcher.close();
  }
}

async function save(body: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const hash = createHash('sha256');
  const fd = openSync(path, 'w', 0o600);
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

function checkDigest(url: string, digest: string, checksum: string | undefined): void {
  if (checksum === undefined || checksum === `sha256:${digest}`) return;
  throw new ImageError('checksum', `${url} is sha256:${digest}, not ${checksum} as --checksum says`);
}
