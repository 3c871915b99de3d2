import type { Index } from '../../../specs/image/manifest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { choosePlatform, formatPlatform, parsePlatform } from './platform.ts';

const indexOf = (...platforms: string[]): Index => ({
  schemaVersion: 2,
  manifests: platforms.map((text) => {
    const [os = '', architecture = '', variant] = text.split('/');
    return {
      mediaType: OCI.manifest,
      digest: digestOf(text),
      size: 1,
      platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    };
  }),
});

describe('parsePlatform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['x86_64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
  ])('reads %s as %s', (text, platform) => {
    expect(formatPlatform(parsePlatform(text))).toBe(platform);
  });

  it.each(['', 'a/b/c/d', 'linux/', 'a b'])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(/not a platform/);
  });
});

describe('choosePlatform', () => {
  it.each([
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
    ['linux/arm64', ['linux/arm64/v8'], 'linux/arm64/v8'],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 'linux/arm/v6'],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v6'], 'linux/arm/v6'],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64'],
    ['linux/amd64', ['unknown/unknown', 'linux/amd64'], 'linux/amd64'],
  ])('takes for %s of %j %s', (wanted, offered, chosen) => {
    expect(choosePlatform(indexOf(...offered), parsePlatform(wanted)).digest).toBe(digestOf(chosen));
  });

  it('names what there is when nothing fits', () => {
    expect(() => choosePlatform(indexOf('linux/arm/v7', 'unknown/unknown'), parsePlatform('linux/arm/v6'))).toThrow(
      'there is no image for linux/arm/v6; there are: linux/arm/v7',
    );
  });
});
