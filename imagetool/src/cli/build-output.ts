/** --output: where the result of a build goes. */

import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readUntilAborted } from '../base/until-aborted.ts';
import type { Built, Variant } from '../build/build.ts';
import { formatPlatform } from '../image/platform.ts';
import { type ParsedArgs, usage } from './args.ts';
import { fieldsOf } from './build-options.ts';

export type BuildOutput =
  | { readonly type: 'image'; readonly name?: string }
  /** `-` is the standard output. */
  | { readonly type: 'oci' | 'docker' | 'tar'; readonly destination: string }
  | { readonly type: 'local'; readonly destination: string };

/** The image alone unless something else is asked for. Throws ImageError `usage`. */
export function buildOutputs(args: ParsedArgs): BuildOutput[] {
  const outputs = args.values('output').map(outputOf);
  const single = outputs.find(({ type }) => type === 'docker' || type === 'tar');
  if (single !== undefined && args.values('platform').join(',').includes(','))
    throw usage(`--output type=${single.type} holds one platform: give oci or local for several`);
  return outputs.length === 0 ? [{ type: 'image' }] : outputs;
}

function outputOf(text: string): BuildOutput {
  if (text === '-') return { type: 'tar', destination: '-' };
  if (!text.includes('=')) return { type: 'local', destination: text };
  const fields = fieldsOf(text, 'output');
  const type = fields.get('type') ?? 'local';
  const destination = fields.get('dest');
  if (type === 'image') {
    const name = fields.get('name');
    return { type, ...(name === undefined ? {} : { name }) };
  }
  if (type === 'local') {
    if (destination === undefined) throw usage(`--output ${text} needs dest=`);
    return { type, destination };
  }
  if (type !== 'oci' && type !== 'docker' && type !== 'tar') throw usage(`--output ${text}: type can be image, oci, docker, tar or local`);
  if ((destination ?? '-') === '-' && process.stdout.isTTY)
    throw usage(`--output ${text}: an archive is nothing for a terminal, give dest=`);
  return { type, destination: destination ?? '-' };
}

/** Archives and directories; the image itself is the store's affair. Of several platforms each has a directory of its own: `linux_arm64`. */
export async function writeOutput(output: BuildOutput, { variants, descriptor }: Built, names: readonly string[]): Promise<void> {
  if (output.type === 'image') return;
  const { store, platform, signal } = variants[0].session.options;
  if (output.type === 'oci' || output.type === 'docker') {
    const images = names.length === 0 ? [{ descriptor }] : names.map((name) => ({ name, descriptor }));
    const { saveImages } = await import('../image/save.ts');
    await writeArchive(readUntilAborted(saveImages(store.layout, images, platform), signal), output.destination);
  } else if (output.type === 'tar') await writeArchive(await filesOf(variants[0]), output.destination);
  else {
    const { unpackLayer } = await import('../layer/unpack.ts');
    for (const variant of variants) {
      const own = formatPlatform(variant.session.options.platform).replaceAll('/', '_');
      const directory = variants.length === 1 ? output.destination : join(output.destination, own);
      mkdirSync(directory, { recursive: true });
      await unpackLayer(store.sys, await filesOf(variant), directory, { whiteouts: 'remove', isRootless: false });
    }
  }
}

async function filesOf({ session, stage }: Variant): Promise<AsyncIterable<Uint8Array>> {
  const { signal, epochSeconds } = session.options;
  const { treeArchive } = await import('../image/image-tree.ts');
  return readUntilAborted(treeArchive(await session.stacks.tree(stage.layers, signal), epochSeconds), signal);
}

async function writeArchive(archive: AsyncIterable<Uint8Array>, destination: string): Promise<void> {
  if (destination === '-') {
    for await (const chunk of archive) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    return;
  }
  const temporary = `${destination}.tmp-${process.pid}`;
  const fd = openSync(temporary, 'wx', 0o644);
  try {
    for await (const chunk of archive) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    renameSync(temporary, destination);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
