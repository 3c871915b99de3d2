/** Archives on their way out: to a file, or to standard output. */

import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { type OptionSpec, type ParsedArgs, usage } from './args.ts';

export const OUTPUT: OptionSpec = { name: 'output', short: 'o', value: 'FILE', help: 'where to, instead of standard output' };

/** Writes where --output says. To be asked before the archive is begun: refuses a terminal. Throws ImageError `usage`. */
export function archiveOutput(args: ParsedArgs): (archive: AsyncIterable<Uint8Array>) => Promise<void> {
  const path = args.value('output');
  if (path !== undefined) return (archive) => writeFile(archive, path);
  if (process.stdout.isTTY) throw usage('an archive is nothing for a terminal: use -o, or redirect');
  return writeOut;
}

async function writeOut(archive: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of archive) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}

/** A failed save leaves no half archive. */
async function writeFile(archive: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  const fd = openSync(temporary, 'wx', 0o644);
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
