import { fc } from '../../../.scripts/jest/fuzz.ts';
import { RuntimeError } from '../base/errors.ts';
import { cgroupfsPath, cleanPath, expandSlice, systemdUnit } from './path.ts';

describe('cgroupfsPath', () => {
  it.each([
    ['absolute', '/k8s/pod1/ctr', '/user.slice/session-1.scope', 'k8s/pod1/ctr'],
    ['absolute, with dots', '/a/./b//c/', '/x', 'a/b/c'],
    ['absolute, escaping', '/../../../etc', '/x', 'etc'],
    ['relative', 'a/b', '/user.slice/session-1.scope', 'user.slice/a/b'],
    ['relative, escaping', '../../a', '/user.slice/session-1.scope', 'user.slice/a'],
    ['relative, for a caller in the root', 'a', '/', 'a'],
    ['relative, for a caller just below the root', 'a', '/init', 'a'],
    ['absent', undefined, '/user.slice/session-1.scope', 'user.slice/ID'],
    ['empty', '', '/system.slice/x.service', 'system.slice/ID'],
    ['absent, for a caller outside of the cgroup namespace', undefined, '/../../x/y', 'x/ID'],
    ['of systemd form', 'system.slice:docker:1', '/', 'system.slice:docker:1'],
    ['of systemd form below a path', '/a/system.slice:docker:1', '/', 'a/system.slice:docker:1'],
  ])('takes a path that is %s', (_, cgroupsPath, ownCgroup, expected) => {
    expect(cgroupfsPath({ cgroupsPath, id: 'ID', ownCgroup })).toBe(expected);
  });

  it.each(['/', '/..', '..', './', '//', '/a\0b'])('refuses %j', (cgroupsPath) => {
    expect(() => cgroupfsPath({ cgroupsPath, id: 'ID', ownCgroup: '/a' })).toThrow(
      expect.objectContaining({ code: 'cgroup-path', configPath: 'linux.cgroupsPath' }),
    );
  });

  it('never leads out of the hierarchy', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'a', 'b.slice'), fc.string());
    const path = fc.array(part, { maxLength: 8 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(path, path, (cgroupsPath, ownCgroup) => {
        let result: string;
        try {
          result = cgroupfsPath({ cgroupsPath, id: 'ID', ownCgroup });
        } catch (error) {
          return error instanceof RuntimeError;
        }
        const parts = result.split('/');
        return parts.every((text) => text !== '' && text !== '.' && text !== '..') && cleanPath(result) === result;
      }),
    );
  });
});

describe('systemdUnit', () => {
  it.each([
    [undefined, false, 'system.slice', 'tsrun-ID.scope'],
    ['', true, 'user.slice', 'tsrun-ID.scope'],
    ['machine.slice:libpod:abc', false, 'machine.slice', 'libpod-abc.scope'],
    [':docker:abc', false, 'system.slice', 'docker-abc.scope'],
    [':docker:abc', true, 'user.slice', 'docker-abc.scope'],
    ['machine.slice::abc', false, 'machine.slice', 'abc.scope'],
    ['kubepods.slice::kubepods-burstable.slice', false, 'kubepods.slice', 'kubepods-burstable.slice'],
  ])('reads %j (user: %j)', (cgroupsPath, user, slice, unit) => {
    expect(systemdUnit(cgroupsPath, 'ID', { user })).toEqual({ slice, unit });
  });

  it.each(['/a/b', 'a:b', 'a:b:c:d', 'system.slice:docker:'])('refuses %j', (cgroupsPath) => {
    expect(() => systemdUnit(cgroupsPath, 'ID', { user: false })).toThrow('expected cgroupsPath to be of format');
  });
});

describe('expandSlice', () => {
  it.each([
    ['system.slice', 'system.slice'],
    ['a-b-c.slice', 'a.slice/a-b.slice/a-b-c.slice'],
    ['-.slice', ''],
  ])('finds the directory of %j', (slice, directory) => {
    expect(expandSlice(slice)).toBe(directory);
  });

  it.each(['system', 'a--b.slice', '-a.slice', 'a-.slice', '.slice', 'a/b.slice', '../x.slice'])('refuses %j', (slice) => {
    expect(() => expandSlice(slice)).toThrow('invalid slice name');
  });
});
