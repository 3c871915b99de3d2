import { commonDirectory } from './mounts.ts';

describe('commonDirectory', () => {
  it.each([
    [['lowerdir=/var/lib/s/1/fs:/var/lib/s/22/fs', 'upperdir=/other'], '/var/lib/s'],
    [['lowerdir=/var/lib/s/1/fs'], '/var/lib/s/1'],
    [['lowerdir=/a/1:/b/2'], '/'],
    [['index=off'], '/'],
  ])('of %j is %s', (data, directory) => {
    expect(commonDirectory(data)).toBe(directory);
  });
});
