import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromText } from '../archive/byte-string.ts';
import { entryOf, file, type Member, member } from '../archive/testing.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { encodeOwner } from './rootless.ts';
import { applyMembers, describeTree, sys } from './testing.ts';
import { listXattrs } from './xattrs.ts';

let directory: TemporaryDirectory;
let root: string;
beforeEach(() => {
  directory = temporaryDirectory();
  root = join(directory.path, 'root');
  mkdirSync(root, { mode: 0o755 });
  writeFileSync(join(directory.path, 'victim'), 'untouched');
  mkdirSync(join(directory.path, 'outside'));
});
afterEach(() => directory[Symbol.dispose]());

const dir = (path: string, fields = {}): Member => member(path, { type: 'directory', mode: 0o755, ...fields });
const link = (path: string, linkName: string): Member => member(path, { type: 'symlink', linkName, mode: 0o777 });
const hard = (path: string, linkName: string): Member => member(path, { type: 'hardlink', linkName });
const names = () => describeTree(root).map((line) => line.split(' | ')[0]);

describe('what a layer holds', () => {
  it('gets owner, mode, time, xattrs and device numbers', async () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    await applyMembers(root, [
      dir('./', { mode: 0o750, mtime: { seconds: 11, nanoseconds: 0 } }),
      dir('d/', { uid: 7, gid: 8, mode: 0o1777, mtime: { seconds: 12, nanoseconds: 5000 } }),
      file('d/su', 'content', { mode: 0o6755, uid: 1000, gid: 2000, mtime: { seconds: 13, nanoseconds: 0 } }),
      file('d/cap', 'x', {
        xattrs: new Map([
          ['security.capability', capability],
          ['user.bin', Buffer.from([0, 255])],
        ]),
      }),
      hard('d/second', 'd/su'),
      link('d/link', '/etc/passwd'),
      member('d/null', { type: 'character', deviceMajor: 1, deviceMinor: 3, mode: 0o666 }),
      member('d/disk', { type: 'block', deviceMajor: 259, deviceMinor: 70_000, mode: 0o660 }),
      member('d/fifo', { type: 'fifo', mode: 0o622 }),
      { entry: { ...entryOf('x'), path: 'caf\xe9' }, content: Buffer.alloc(0) },
    ]);
    expect(describeTree(root)).toEqual([
      ' | 40750 | 0:0 |  | 11 |  |  |  |  | ',
      '/caf\xe9 | 100644 | 0:0 | 0 | 1000000000 |  |  |  |  | ',
      '/d | 41777 | 7:8 |  | 12 |  |  |  |  | ',
      `/d/cap | 100644 | 0:0 | 1 | 1000000000 |  |  |  | security.capability=${capability.toString('hex')},user.bin=00ff | eA==`,
      '/d/disk | 60660 | 0:0 | 0 | 1000000000 | 286327664 |  |  |  | '.replace('286327664', String(statSync(join(root, 'd/disk')).rdev)),
      '/d/fifo | 10622 | 0:0 | 0 | 1000000000 |  |  |  |  | ',
      '/d/link | 120777 | 0:0 | 11 | 1000000000 |  | /etc/passwd |  |  | ',
      '/d/null | 20666 | 0:0 | 0 | 1000000000 | 259 |  |  |  | ',
      '/d/second | 106755 | 1000:2000 | 7 | 13 |  |  |  |  | Y29udGVudA==',
      '/d/su | 106755 | 1000:2000 | 7 | 13 |  |  | /d/second |  | Y29udGVudA==',
    ]);
  });

  it('gets root’s group below a set-group-id directory', async () => {
    await applyMembers(root, [dir('mail', { mode: 0o2775, gid: 8 }), file('mail/a', 'x'), dir('mail/d'), file('mail/d/b', '')]);
    expect(
      describeTree(root, { times: false })
        .slice(2)
        .map((line) => line.split(' | ').slice(0, 3)),
    ).toEqual([
      ['/mail/a', '100644', '0:0'],
      ['/mail/d', '40755', '0:0'],
      ['/mail/d/b', '100644', '0:0'],
    ]);
  });

  it('is not changed by the umask', async () => {
    const old = process.umask(0o077);
    try {
      await applyMembers(root, [
        dir('d', { mode: 0o777 }),
        file('d/f', 'x', { mode: 0o666 }),
        member('d/p', { type: 'fifo', mode: 0o666 }),
      ]);
    } finally {
      process.umask(old);
    }
    expect(['d', 'd/f', 'd/p'].map((path) => statSync(join(root, path)).mode & 0o777)).toEqual([0o777, 0o666, 0o666]);
  });
});

describe('whiteouts', () => {
  const lower = () =>
    applyMembers(root, [dir('d/'), file('d/a', '1'), file('d/b', '2'), dir('d/s/'), file('d/s/x', '3'), file('keep', '4')]);

  it('remove files and trees of lower layers, and nothing where there is nothing', async () => {
    await lower();
    await applyMembers(root, [file('d/.wh.a', ''), file('d/.wh.s', ''), file('no/such/.wh.thing', '')]);
    expect(names()).toEqual(['', '/d', '/d/b', '/keep']);
  });

  const opaque = file('d/.wh..wh..opq', '');
  const added = [dir('d/s'), file('d/s/new', 'n'), file('d/c', 'c')];
  it.each([
    ['before', [dir('d/'), opaque, ...added]],
    ['after', [dir('d/'), ...added, opaque]],
    ['between', [dir('d/'), ...added.slice(0, 2), opaque, ...added.slice(2)]],
  ])('make a directory opaque %s its new files', async (_, members) => {
    await lower();
    await applyMembers(root, members);
    expect(names()).toEqual(['', '/d', '/d/c', '/d/s', '/d/s/new', '/keep']);
  });

  it.each([
    ['before', [file('d/.wh.s', ''), dir('d/s/'), file('d/s/y', '')]],
    ['after', [dir('d/s/'), file('d/s/y', ''), file('d/.wh.s', '')]],
  ])('remove a directory %s a new one of its name', async (_, members) => {
    await lower();
    await applyMembers(root, members);
    expect(names()).toEqual(['', '/d', '/d/a', '/d/b', '/d/s', '/d/s/y', '/keep']);
  });

  it.each(['.wh.', 'd/.wh..', 'd/.wh...'])('refuse %j', async (path) => {
    await expect(applyMembers(root, [file(path, '')])).rejects.toMatchObject({ code: 'tar' });
  });

  it('let a file take a directory’s place and the other way round', async () => {
    await lower();
    await applyMembers(root, [file('d', 'now a file'), dir('keep/'), file('keep/in', ''), link('d2', 'keep')]);
    expect(names()).toEqual(['', '/d', '/d2', '/keep', '/keep/in']);
    await applyMembers(root, [dir('d2'), file('d2/f', '')]);
    expect(names()).toEqual(['', '/d', '/d2', '/d2/f', '/keep', '/keep/in']);
  });

  it('replace a directory’s xattrs and owner by those of the upper layer', async () => {
    await applyMembers(root, [dir('d', { uid: 5, xattrs: new Map([['user.old', Buffer.from('1')]]) }), file('d/a', '')]);
    await applyMembers(root, [dir('d', { uid: 6, xattrs: new Map([['user.new', Buffer.from('2')]]) })]);
    expect(describeTree(root, { times: false })[1]).toBe('/d | 40755 | 6:0 |  |  |  |  |  | user.new=32 | ');
    expect(names()).toContain('/d/a');
  });
});

describe('overlay style', () => {
  const overlay = { whiteouts: 'overlay', isRootless: false } as const;

  it('marks removals as overlayfs does', async () => {
    await applyMembers(root, [dir('d/'), file('d/.wh.gone', ''), dir('o/'), file('o/.wh..wh..opq', ''), file('o/new', '')], overlay);
    expect(describeTree(root, { times: false }).slice(1)).toEqual([
      '/d | 40755 | 0:0 |  |  |  |  |  |  | ',
      '/d/gone | 20000 | 0:0 | 0 |  | 0 |  |  |  | ',
      '/o | 40755 | 0:0 |  |  |  |  |  | trusted.overlay.opaque=79 | ',
      '/o/new | 100644 | 0:0 | 0 |  |  |  |  |  | ',
    ]);
  });

  it.each([
    ['before', [file('.wh.s', ''), dir('s/'), file('s/y', '')]],
    ['after', [dir('s/'), file('s/y', ''), file('.wh.s', '')]],
  ])('makes a directory opaque that was removed %s it was made', async (_, members) => {
    await applyMembers(root, members, overlay);
    expect(listXattrs(sys, join(root, 's')).get('trusted.overlay.opaque')?.toString()).toBe('y');
    expect(names()).toEqual(['', '/s', '/s/y']);
  });

  it('does not let a layer say how overlayfs reads it', async () => {
    const xattrs = new Map([
      ['trusted.overlay.redirect', Buffer.from('/etc')],
      ['trusted.overlay.opaque', Buffer.from('y')],
    ]);
    await applyMembers(root, [dir('d', { xattrs })], overlay);
    expect(listXattrs(sys, join(root, 'd')).size).toBe(0);
    await expect(applyMembers(root, [member('x', { type: 'character' })], overlay)).rejects.toMatchObject({ code: 'tar' });
  });

  it('tells which directories were used without being described', async () => {
    expect((await applyMembers(root, [file('a/b/c', '')], overlay)).implied).toEqual(['a', 'a/b']);
  });
});

describe('hostile layers', () => {
  const outside = () => readdirSync(join(directory.path, 'outside'));

  it.each([
    ['dots', [file('../victim', 'gone')]],
    ['dots in the middle', [file('a/../../victim', 'gone')]],
    ['a hard link by dots', [hard('a', '../victim'), file('a', 'gone')]],
    ['a hard link to an absolute path', [hard('a', '/../victim')]],
    ['a hard link to a directory', [dir('d'), hard('a', 'd')]],
    ['a hard link to nothing', [hard('a', 'b')]],
    ['a hard link to the root', [hard('a', '/')]],
    ['a file where a directory is needed', [file('a', ''), file('a/b', '')]],
    ['a root that is a file', [file('/', '')]],
    ['a loop of links', [link('l', 'l'), file('l/x', '')]],
    ['a name that is too long', [file('n'.repeat(300), '')]],
    ['a device number that does not exist', [member('x', { type: 'block', deviceMajor: 5000 })]],
  ])('are refused for %s', async (_, members) => {
    await expect(applyMembers(root, members)).rejects.toMatchObject({ code: expect.stringMatching(/^(tar|layer)$/) });
    expect(readFileSync(join(directory.path, 'victim'), 'utf8')).toBe('untouched');
    expect(outside()).toEqual([]);
  });

  it('do not write through links that lead out', async () => {
    const up = '../'.repeat(20);
    const target = join(directory.path, 'outside');
    await applyMembers(root, [
      dir(target.slice(1)),
      link('abs', target),
      file('abs/a', 'x'),
      link('rel', `${up}${target.slice(1)}`),
      file('rel/b', 'x'),
      dir('rel/c/'),
      file('rel/.wh.a', ''),
      hard('rel/h', 'rel/b'),
      link('rel/l', 'x'),
      member('rel/fifo', { type: 'fifo' }),
    ]);
    expect(outside()).toEqual([]);
    expect(readdirSync(join(root, target.slice(1))).sort()).toEqual(['b', 'c', 'fifo', 'h', 'l']);
  });

  it('do not write through a link at the end of a path', async () => {
    await applyMembers(root, [link('a', '../victim'), file('a', 'new'), link('b', '../victim'), hard('c', 'b'), file('c', 'new')]);
    await applyMembers(root, [link('d', '../outside'), dir('d'), file('d/x', '')]);
    expect(readFileSync(join(directory.path, 'victim'), 'utf8')).toBe('untouched');
    expect(outside()).toEqual([]);
  });

  it('do not remove, chown or chmod through links', async () => {
    writeFileSync(join(directory.path, 'outside/precious'), '');
    const before = describeTree(join(directory.path, 'outside'));
    await applyMembers(root, [link('o', '../outside')]);
    await applyMembers(root, [file('.wh.o', ''), link('o', '../outside'), file('o2', '')]).catch(() => undefined);
    await applyMembers(root, [file('o/.wh..wh..opq', ''), file('o/.wh.precious', '')]).catch(() => undefined);
    await applyMembers(root, [member('o', { type: 'symlink', linkName: '../outside', uid: 99, mode: 0o000 })]);
    expect(describeTree(join(directory.path, 'outside'))).toEqual(before);
  });

  it('find a directory replaced by a link between two entries', async () => {
    await applyMembers(root, [dir('d/'), file('d/one', ''), link('d', '../outside'), file('x', ''), dir('outside')]);
    await applyMembers(root, [file('d/two', '')]);
    expect(outside()).toEqual([]);
    expect(existsSync(join(root, 'outside/two'))).toBe(true);
  });

  it('do not follow links the tree had before', async () => {
    symlinkSync(join(directory.path, 'outside'), join(root, 'etc'));
    await expect(applyMembers(root, [file('etc/passwd', '')])).rejects.toMatchObject({ code: 'layer' });
    expect(outside()).toEqual([]);
  });

  it('may name a file twice: the last one stays', async () => {
    await applyMembers(root, [file('a', 'first'), hard('b', 'a'), file('a', 'second'), hard('b', 'b')]);
    expect([readFileSync(join(root, 'a'), 'utf8'), readFileSync(join(root, 'b'), 'utf8')]).toEqual(['second', 'first']);
  });
});

describe('without privileges', () => {
  const rootless = { whiteouts: 'remove', isRootless: true } as const;

  it('records owners and devices, and works in directories that deny it', async () => {
    await applyMembers(
      root,
      [
        dir('closed', { mode: 0o500, uid: 3 }),
        file('closed/f', 'x', { uid: 1000, gid: 100_000 }),
        member('null', { type: 'character', deviceMajor: 1, deviceMinor: 3, mode: 0o666 }),
        file(fromText('naïve'), 'x'),
      ],
      rootless,
    );
    const owner = encodeOwner({ uid: 1000, gid: 100_000 }).toString('hex');
    expect(owner).toBe('08e80710a08d06');
    const lines = describeTree(root, { times: false });
    expect(lines).toContain('/closed | 40500 | 0:0 |  |  |  |  |  | user.rootlesscontainers=0803 | ');
    expect(lines).toContain(`/closed/f | 100644 | 0:0 | 1 |  |  |  |  | user.rootlesscontainers=${owner} | eA==`);
    expect(lines).toContain(`/null | 100666 | 0:0 | 0 |  |  |  |  | user.tsrun.device=${Buffer.from('c 1 3').toString('hex')} | `);
  });
});
