/** The image that a container is to be made of: in the store, or pulled, as --pull says. */

import { ImageError } from '../../../../imagetool/src/base/errors.ts';
import { findStoredImage } from '../../../../imagetool/src/image/find.ts';
import { type LoadedImage, loadImage } from '../../../../imagetool/src/image/load.ts';
import { formatPlatform, hostPlatform, parsePlatform } from '../../../../imagetool/src/image/platform.ts';
import { familiarReference, parseReference, withDefaultTag } from '../../../../imagetool/src/reference/reference.ts';
import type { Descriptor, Platform } from '../../../../specs/image/descriptor.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import type { Context } from '../context.ts';

export interface FoundImage extends LoadedImage {
  /** Of the index, where the image has several platforms. */
  readonly stored: Descriptor;
  /** `sha256:…` of the configuration. */
  readonly id: string;
  readonly platform: string;
}

export interface FindOptions {
  readonly name: string;
  readonly pull: string;
  readonly platform: string | undefined;
  readonly quiet: boolean;
}

const POLICIES = ['always', 'missing', 'never'];

/** @throws ContainerError, ImageError */
export async function findImage(context: Context, options: FindOptions): Promise<FoundImage> {
  if (!POLICIES.includes(options.pull)) {
    throw invalid(`invalid pull option: '${options.pull}': must be one of "always", "missing" or "never"`);
  }
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
  const { layout } = await context.store();
  const found = options.pull === 'always' ? undefined : await findStoredImage(layout, options.name).catch(nothingIfMissing);
  const stored = found?.descriptor ?? (await pulled(context, options, platform));
  const image = await loadImage(layout, stored, platform);
  return { ...image, stored, id: image.manifest.config.digest, platform: formatPlatform(platform) };
}

function nothingIfMissing(error: unknown): undefined {
  if (error instanceof ImageError && error.code === 'no-image') return undefined;
  throw error;
}

async function pulled(context: Context, options: FindOptions, platform: Platform): Promise<Descriptor> {
  const reference = withDefaultTag(parseReference(options.name));
  if (options.pull === 'never') {
    throw new ContainerError('invalid', `No such image: ${familiarReference(reference)}`, {
      hint: 'Without --pull never it would be pulled.',
    });
  }
  if (options.pull === 'missing' && !options.quiet) context.note(`Unable to find image '${familiarReference(reference)}' locally`);
  const { pullWithProgress } = await import('../images/pull-image.ts');
  return await pullWithProgress(context, reference, { platform, quiet: options.quiet, print: context.note });
}
