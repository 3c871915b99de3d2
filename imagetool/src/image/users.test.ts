import { resolveUser } from './users.ts';

const passwd = '# comment\nroot:x:0:0:root:/root:/bin/sh\napp:x:100:101::/home/app:/bin/sh\nbroken\n55:x:7:8::/seven:/bin/sh\n';
const group = 'root:x:0:root\napp:x:101:\nextra:x:200:app,other\nmore:x:150:app\n';

describe('resolveUser', () => {
  it.each([
    ['', { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
    ['root', { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
    ['app', { uid: 100, gid: 101, additionalGids: [150, 200], home: '/home/app' }],
    ['app:extra', { uid: 100, gid: 200, additionalGids: [], home: '/home/app' }],
    ['app:77', { uid: 100, gid: 77, additionalGids: [], home: '/home/app' }],
    ['100', { uid: 100, gid: 101, additionalGids: [], home: '/home/app' }],
    ['1234', { uid: 1234, gid: 0, additionalGids: [] }],
    ['1234:5678', { uid: 1234, gid: 5678, additionalGids: [] }],
    ['55', { uid: 55, gid: 0, additionalGids: [] }],
  ])('reads %j', (text, user) => {
    expect(resolveUser(text, { passwd, group })).toEqual(user);
  });

  it.each(['nobody', 'app:nogroup', '99999999999', '-1'])('refuses %j', (text) => {
    expect(() => resolveUser(text, { passwd, group })).toThrow(/the image has no/);
  });

  it('needs no files for numbers', () => {
    expect(resolveUser('', { passwd: '', group: '' })).toEqual({ uid: 0, gid: 0, additionalGids: [] });
  });
});
