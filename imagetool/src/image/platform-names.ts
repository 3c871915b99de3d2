/** The names of platforms: those of Go and of images, whoever gave them (variants as docker and containerd normalise them). */

import type { Platform } from '../../../specs/image/descriptor.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  x86_64: 'amd64',
  aarch64: 'arm64',
  ia32: '386',
  i386: '386',
  armhf: 'arm',
  armel: 'arm',
  ppc64: 'ppc64le',
};

/** Linux on a processor that Node, Debian or the kernel calls this. */
export function linuxPlatform(architecture: string): Platform {
  return normalizePlatform({ os: 'linux', architecture, ...(architecture === 'arm' ? { variant: 'v7' } : {}) });
}

export function normalizePlatform(platform: Platform): Platform {
  const architecture = ARCHITECTURES[platform.architecture] ?? platform.architecture;
  const { variant, ...rest } = platform;
  const isDefault =
    variant === undefined ||
    variant === '' ||
    (architecture === 'arm64' && (variant === 'v8' || variant === '8')) ||
    (architecture === 'amd64' && variant === 'v1');
  const named = architecture === 'arm' && variant !== undefined && /^\d$/.test(variant) ? `v${variant}` : variant;
  return { ...rest, architecture, ...(isDefault || named === undefined ? {} : { variant: named }) };
}
