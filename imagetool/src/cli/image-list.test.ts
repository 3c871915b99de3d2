import { asDigest } from '../../../specs/image/digest.ts';
import type { ListedImage } from '../image/listing.ts';
import { parseArgs } from './args.ts';
import { IMAGES, imageLines } from './image-list.ts';

function row(repository: string, tag: string, letter: string): ListedImage {
  const digest = asDigest(`sha256:${letter.repeat(64)}`);
  return { repository, tag, digest, id: digest };
}
const rows = [
  row('busybox', '1.36', 'a'),
  row('busybox', 'latest', 'b'),
  row('localhost:5000/team/app', '2', 'c'),
  row('team/app.x', '2', 'd'),
  row('<none>', '<none>', 'e'),
];

describe('images', () => {
  it.each([
    [[], 'a b c d e'],
    [['--all'], 'a b c d e'],
    [['busybox'], 'a b'],
    [['docker.io/library/busybox:latest'], 'b'],
    [['busybox:1*'], 'a'],
    [['localhost:5000/team/app'], 'c'],
    [['localhost:5000/team/app:1'], ''],
    [['team/*'], 'd'],
    [['team/app?x'], 'd'],
    [['*'], 'a b e'],
    [['busy'], ''],
  ])('%j lists %j', (words, ids) => {
    expect(
      imageLines(rows, parseArgs(['-q', ...words], IMAGES.options), 0)
        .map(([letter]) => letter)
        .join(' '),
    ).toBe(ids);
  });
});
