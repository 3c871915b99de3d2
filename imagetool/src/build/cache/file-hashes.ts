/**
 * Digests of files that have been read before. A file counts as unchanged while its device, inode, size, and the times of its last modification and
 * of the last change of its inode are the same: the last cannot be set by anybody, so a touched file does not pass for the old one.
 */

import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileRecord } from '../../layer/tree.ts';
import { readIfExists, replaceHint } from '../../store/files.ts';
import type { Layout } from '../../store/layout.ts';

const CHUNK_BYTES = 256 * 1024;
const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
/** A file changed this shortly before it was read may change again within the same tick of the file system's clock. */
const RACY_MS = 100;

interface Known {
  readonly identity: string;
  readonly digest: string;
}

export class FileHashes {
  readonly #path: string;
  readonly #known = new Map<string, Known>();
  #isChanged = false;

  /** `root` names the tree that the files are in: each has a file of digests of its own. */
  constructor(layout: Layout, root: string) {
    this.#path = join(layout.build, 'hashes', createHash('sha256').update(root).digest('hex').slice(0, 32));
    for (const line of (readIfExists(this.#path) ?? '').split('\n')) {
      const [identity = '', digest = '', path = ''] = line.split('\t');
      if (path !== '') this.#known.set(path, { identity, digest });
    }
  }

  /** SHA-256 of a regular file's content, in hexadecimal. `path`: its path in the tree. */
  digestOf(path: string, record: FileRecord, hostPath: string): string {
    const identity = `${record.device ?? 0}.${record.inode}.${record.size}.${record.mtimeSeconds}.${record.mtimeNanoseconds}.${record.changed}`;
    const key = /[\t\n]/.test(path) ? JSON.stringify(path) : path;
    const known = this.#known.get(key);
    if (known?.identity === identity) return known.digest;
    const digest = hashFile(hostPath);
    if (isSettled(record)) {
      this.#known.set(key, { identity, digest });
      this.#isChanged = true;
    }
    return digest;
  }

  save(): void {
    if (!this.#isChanged) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    replaceHint(this.#path, Array.from(this.#known, ([path, { identity, digest }]) => `${identity}\t${digest}\t${path}\n`).join(''));
    this.#isChanged = false;
  }
}

function isSettled({ changed }: FileRecord): boolean {
  const [seconds = '0', nanoseconds = '0'] = changed.split('.');
  return Date.now() - (Number(seconds) * 1000 + Number(nanoseconds) / 1e6) > RACY_MS;
}

function hashFile(hostPath: string): string {
  const fd = openSync(Buffer.from(hostPath, 'latin1'), 'r');
  try {
    const hash = createHash('sha256');
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) hash.update(chunk.subarray(0, read));
    return hash.digest('hex');
  } finally {
    closeSync(fd);
  }
}
