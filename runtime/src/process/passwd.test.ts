import { homeDirectory } from './passwd.ts';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  'user:x:1000:1000:A User,,,:/home/user:/bin/sh',
  'again:x:1000:1000::/home/again:/bin/sh',
  '',
].join('\n');

describe('homeDirectory', () => {
  it('is that of the first user with the id', () => {
    expect(homeDirectory(PASSWD, 0)).toBe('/root');
    expect(homeDirectory(PASSWD, 1000)).toBe('/home/user');
  });

  it.each([
    ['an id that nobody has', PASSWD, 7],
    ['no file', '', 0],
    ['a line with too few fields', 'root:x:0:0:/root', 0],
    ['an id that is not a number', 'root:x:0x0:0::/root:/bin/sh', 0],
    ['an empty id', 'root:x::0::/root:/bin/sh', 0],
    ['a relative home', 'root:x:0:0::root:/bin/sh', 0],
    ['an empty home', 'root:x:0:0:::/bin/sh', 0],
    ['a NUL in the home', 'root:x:0:0::/ro\0ot:/bin/sh', 0],
  ])('is undefined for %s', (_what, passwd, uid) => {
    expect(homeDirectory(passwd, uid)).toBeUndefined();
  });
});
