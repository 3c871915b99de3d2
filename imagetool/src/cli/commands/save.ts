import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { findStoredImage } from '../../image/find.ts';
import { hostPlatform, parsePlatform } from '../../image/platform.ts';
import { saveImages } from '../../image/save.ts';
import { usage } from '../args.ts';
import type { Command } from '../command.ts';
import { PLATFORM } from '../options.ts';

export const save: Command = {
  name: 'save',
  usage: '[OPTIONS] IMAGE…',
  summary: 'Write images to an archive that docker load, skopeo and tsimg load read',
  options: [{ name: 'output', short: 'o', value: 'FILE', help: 'where to, instead of standard output' }, PLATFORM],
  positionals: [1, Number.POSITIVE_INFINITY],
  async run(context, args) {
    const layout = context.layout();
    const output = args.value('output');
    if (output === undefined && process.stdout.isTTY) throw usage('an archive is nothing for a terminal: use -o, or redirect');
    const images = await Promise.all(args.positionals.map((text) => findStoredImage(layout, text)));
    const archive = saveImages(
      layout,
      images,
      args.value('platform') === undefined ? hostPlatform() : parsePlatform(args.value('platform') ?? ''),
    );
    if (output === undefined) await writeOut(archive);
    else await writeFile(archive, output);
    return 0;
  },
};

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
