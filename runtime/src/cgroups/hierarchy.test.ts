import { parseProcCgroup, words } from './hierarchy.ts';

describe('parseProcCgroup', () => {
  it.each([
    ['a unified host', '0::/user.slice/user-0.slice/session-1.scope\n', '/user.slice/user-0.slice/session-1.scope'],
    ['a hybrid host', '9:name=systemd:/\n4:memory:/a\n0::/b\n', '/b'],
    ['a path with colons', '0::/a:b:c\n', '/a:b:c'],
    ['a removed cgroup', '0::/a (deleted)\n', '/a'],
    ['a cgroup outside of the namespace', '0::/../x\n', '/../x'],
    ['a pure v1 host', '4:memory:/a\n', undefined],
  ])('reads %s', (_, text, path) => {
    expect(parseProcCgroup(text)).toBe(path);
  });
});

describe('words', () => {
  it('splits what the kernel lists', () => {
    expect(words('cpuset cpu io\n')).toEqual(['cpuset', 'cpu', 'io']);
    expect(words('\n')).toEqual([]);
  });
});
