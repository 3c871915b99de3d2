/** Choosing an image from an index by platform (image-spec, image-index.md; variants as docker and containerd normalise them). */

import { ANNOTATION } from '../../../specs/image/annotations.ts';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import type { Index } from '../../../specs/image/manifest.ts';
import { ImageError } from '../base/errors.ts';
import { linuxPlatform, normalizePlatform } from './platform-names.ts';

/** Variants a processor also runs, best first. */
const ARM_VARIANTS = ['v8', 'v7', 'v6', 'v5'];

/** Reads `os/arch[/variant]` or `arch`. Throws ImageError. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part)))
    throw new ImageError('platform', `${JSON.stringify(text)} is not a platform (os/arch/variant)`);
  const [first = '', second, variant] = parts;
  return normalizePlatform(
    second === undefined
      ? { os: 'linux', architecture: first }
      : { os: first, architecture: second, ...(variant === undefined ? {} : { variant }) },
  );
}

/** The platform of this machine. */
export function hostPlatform(arch: string = process.arch): Platform {
  return linuxPlatform(arch);
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined || variant === '' ? [] : [variant])].join('/');
}

/**
 * The entry for a platform. Of several that run there the most special is taken; attestations are no images.
 * Throws ImageError `platform`, naming what is offered.
 */
export function choosePlatform(index: Index, wanted: Platform): Descriptor {
  const images = index.manifests.filter(
    (one) => one.platform?.os !== 'unknown' && one.annotations?.[ANNOTATION.dockerReferenceType] === undefined,
  );
  const ranked = images
    .map((descriptor) => ({ descriptor, rank: rankOf(descriptor.platform, wanted) }))
    .filter((one) => one.rank !== undefined)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  const best = ranked[0]?.descriptor;
  if (best !== undefined) return best;
  // Layouts of one image often leave the platform out.
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0 && only.platform === undefined) return only;
  const offered = images.map((one) => (one.platform === undefined ? 'unnamed' : formatPlatform(one.platform)));
  throw new ImageError(
    'platform',
    `there is no image for ${formatPlatform(wanted)}; there are: ${[...new Set(offered)].join(', ') || 'none'}`,
    {
      hint: 'Choose one of them with --platform.',
    },
  );
}

/** Smaller is better; undefined does not run there. */
function rankOf(offered: Platform | undefined, wanted: Platform): number | undefined {
  if (offered === undefined) return undefined;
  const have = normalizePlatform(offered);
  if (have.os !== wanted.os || have.architecture !== wanted.architecture) return undefined;
  if (wanted['os.version'] !== undefined && have['os.version'] !== wanted['os.version']) return undefined;
  if (have.variant === wanted.variant) return 0;
  if (wanted.architecture === 'arm') {
    const from = ARM_VARIANTS.indexOf(wanted.variant ?? 'v7');
    const at = ARM_VARIANTS.indexOf(have.variant ?? 'v7');
    return at >= from && from >= 0 ? at - from + 1 : undefined;
  }
  // amd64/v2 asked for runs what asks for less; without a variant asked for, only the plain one is sure to run.
  if (have.variant === undefined) return 1;
  return wanted.variant !== undefined && have.variant < wanted.variant ? 1 : undefined;
}
