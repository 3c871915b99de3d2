import type { Root } from '../../../../specs/runtime/root.ts';
import { type Changes, findErrors, findWarnings, namespaces } from '../test/findings.ts';

type Case = [changes: Changes, expected: string[]];

describe('rules for the parts that every platform has', () => {
  it.each<Case>([
    [{ root: null as unknown as Root }, ['root-required root']],
    [{ root: { path: '' } }, ['root-path root.path']],
    [{ hostname: 'a' }, ['hostname-uts-namespace hostname']],
    [{ domainname: 'a' }, ['domainname-uts-namespace domainname']],
    [{ hostname: '', domainname: '' }, []],
    [{ hostname: 'a'.repeat(64), domainname: 'b', linux: namespaces('uts', 'mount') }, []],
    [{ hostname: 'a'.repeat(65), linux: namespaces('uts', 'mount') }, ['hostname-length hostname']],
    [{ annotations: { 'com.example.key': '' } }, []],
    [{ annotations: { '': 'x' } }, ['annotation-key annotations']],
    [{ hooks: { poststop: [{ path: '/bin/true', timeout: 1 }] } }, []],
    [{ hooks: { createRuntime: [{ path: '/bin/true' }, { path: 'true' }] } }, ['hook-path-absolute hooks.createRuntime[1].path']],
    [{ hooks: { poststart: [{ path: '/bin/true', timeout: 0 }] } }, ['type hooks.poststart[0].timeout']],
  ])('%j', (changes, expected) => {
    expect(findErrors(changes)).toEqual(expected);
  });

  it.each<Case>([
    [{ root: { path: 'rootfs', readonly: true }, linux: { ...namespaces() } }, ['mount-namespace-missing root.readonly']],
    [
      { mounts: [{ destination: '/proc', type: 'proc' }], linux: { ...namespaces('pid'), rootfsPropagation: 'rslave' } },
      ['mount-namespace-missing mounts', 'mount-namespace-missing linux.rootfsPropagation'],
    ],
    [{ mounts: [], linux: namespaces() }, []],
    [{ hooks: { prestart: [{ path: '/bin/true' }] } }, ['deprecated hooks.prestart']],
    [{ vm: { kernel: { path: 1 } }, windows: { x: null }, solaris: {}, zos: { namespaces: [] }, freebsd: { jail: {} } }, []],
  ])('warns about %j', (changes, expected) => {
    expect(findWarnings(changes)).toEqual(expected);
  });
});
