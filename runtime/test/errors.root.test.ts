/** Every failure names the place in config.json, the object and the reason, and leaves nothing: `onBothEngines` looks after each of these. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Draft, onBothEngines, userNamespace } from './ground.ts';

const mount =
  (destination: string, source: string, type: string, ...options: string[]) =>
  (config: Draft): void => {
    config.mounts.push({ destination, source, type, options });
  };

/** [what is asked for, what is answered behind "error during container init: "] */
const OF_INIT: readonly (readonly [string, (config: Draft) => void, RegExp])[] = [
  ['an unknown file system', mount('/x', 'x', 'nofs'), /^mounts\[7\]: mount nofs on \/x: fsopen nofs: no such device$/],
  [
    'an unknown option',
    mount('/x', 'x', 'tmpfs', 'colour=blue'),
    /^mounts\[7\]: mount tmpfs on \/x: fsconfig tmpfs colour=blue: invalid argument$/,
  ],
  ['a bad value', mount('/x', 'x', 'tmpfs', 'size=much'), /^mounts\[7\]: mount tmpfs on \/x: fsconfig tmpfs size=much: invalid argument$/],
  [
    'a bad value the old way',
    mount('/x', 'x', 'tmpfs', 'silent', 'size=much'),
    /^mounts\[7\]: mount tmpfs on \/x: mount \/x: invalid argument$/,
  ],
  ['no such device', mount('/x', '/dev/nothing', 'ext4'), /^mounts\[7\]: mount ext4 on \/x: fsconfig ext4: .+$/],
  [
    'no such source',
    mount('/x', '/no/such', 'none', 'bind'),
    /^mounts\[7\]: bind \/no\/such to \/x: open_tree \/no\/such: no such file or directory$/,
  ],
  [
    'a directory on a file',
    mount('/bin/busybox', '/etc', 'none', 'bind'),
    /^mounts\[7\]: bind \/etc to \/bin\/busybox: openat \/bin\/busybox: not a directory$/,
  ],
  [
    'a file on a directory',
    mount('/etc', '/etc/passwd', 'none', 'bind'),
    /^mounts\[7\]: bind \/etc\/passwd to \/etc: openat \/etc\/passwd: not a directory$/,
  ],
  [
    'a target below a file',
    mount('/bin/busybox/x', 'x', 'tmpfs'),
    /^mounts\[7\]: mount tmpfs on \/bin\/busybox\/x: openat2 bin\/busybox\/x: not a directory$/,
  ],
  [
    'nothing to remount',
    mount('/nothing', 'x', 'tmpfs', 'remount', 'ro'),
    /^mounts\[7\]: remount \/nothing: openat2 nothing: no such file or directory$/,
  ],
  ['no mount to remount', mount('/etc', 'x', 'tmpfs', 'remount', 'ro'), /^mounts\[7\]: remount \/etc: mount \/etc: invalid argument$/],
  [
    'no such device on the host',
    (config) =>
      Object.assign(userNamespace(config) ?? config.linux, { devices: [{ path: '/dev/nothing', type: 'c', major: 1, minor: 3 }] }),
    /^linux\.devices\[0\]: make the device \/dev\/nothing: openat \/dev\/nothing: no such file or directory$/,
  ],
  ['a domain name that is too long', (config) => (config.domainname = 'x'.repeat(65)), /domainname/],
  [
    'a mode that needs more nodes',
    (config) => (config.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '1000' }),
    /^linux\.memoryPolicy: set the memory policy: set_mempolicy: invalid argument$/,
  ],
];

onBothEngines('an error', (ground) => {
  it.each(OF_INIT)('names its place and object: %s', (_, change, message) => {
    const text = ground().refused(change);
    expect(
      text.slice(text.indexOf('create failed: ') + 15).replace('unable to start container process: error during container init: ', ''),
    ).toMatch(message);
  });

  it('tells of everything that is wrong with a configuration at once', () => {
    const text = ground().refused((config) => {
      config.process.cwd = 'relative';
      config.process.user = { uid: 4_294_967_295, gid: 0 };
      config.linux.maskedPaths = ['relative'];
      config.mounts.push({ destination: '', type: 'tmpfs' });
    });
    for (const place of ['process.cwd', 'process.user.uid', 'linux.maskedPaths[0]', 'mounts[7].destination']) expect(text).toContain(place);
  });

  it('names the file when it is not JSON, and where it is not', () => {
    const bundle = ground().bundle();
    writeFileSync(join(bundle, 'config.json'), '{"ociVersion": "1.3.0", "process": {]');
    const { status, stderr } = ground().tsrun(['create', '-b', bundle, 'c']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/config\.json.*(line 1|offset|column)/) });
    expect(ground().tsrun(['create', '-b', '/no/such', 'c']).stderr).toContain('/no/such');
  });

  it('of a late step undoes all early ones', () => {
    const message = ground().refused((config) => {
      config.root = { path: 'rootfs', readonly: true };
      config.linux.rootfsPropagation = 'shared';
      config.process.args = ['nothing'];
    });
    expect(message).toContain('exec: "nothing": executable file not found in $PATH');
  });
});
