/** Archives on their way out of the process. */

import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Writes a new file at `path`, with permissions `mode`: whole, or none. Throws the file system's error. */
export async function deliverToFile(archive: AsyncIterable<Uint8Array>, path: string, mode: number): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  const fd = openSync(temporary, 'wx', mode);
  try {
    for await (const chunk of archive) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Writes as fast as the reader takes it. */
export async function deliverToStandardOutput(archive: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of archive) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}
