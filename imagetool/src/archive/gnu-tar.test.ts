/** The reader and the writer against Debian's tar. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, type Requirement } from '../../../.scripts/jest/requirement.ts';
import { file, member, packMembers, unpackMembers } from './testing.ts';

const gnuTar: Requirement = {
  what: 'GNU tar',
  met: spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU tar') === true,
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsimg-tar-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function makeSparse(path: string, holes: number): Buffer {
  const content = Buffer.alloc(holes * 100_000 + 10);
  const fd = openSync(path, 'w');
  for (let index = 0; index < holes; index += 1) {
    content.write(`data ${index}`, index * 100_000 + 50_000);
    writeSync(fd, `data ${index}`, index * 100_000 + 50_000);
  }
  ftruncateSync(fd, content.length);
  closeSync(fd);
  return content;
}

describeWith([gnuTar], 'archives of GNU tar', () => {
  const formats = [['--format=gnu'], ['--format=oldgnu'], ['--format=posix'], ['--format=ustar'], ['--format=v7']];

  it.each(formats)('reads %s', (format) => {
    const tree = mkdtempSync(join(directory, 'tree-'));
    mkdirSync(join(tree, 'd'));
    writeFileSync(join(tree, 'd/file'), 'content', { mode: 0o640 });
    linkSync(join(tree, 'd/file'), join(tree, 'd/hard'));
    symlinkSync('file', join(tree, 'd/soft'));
    const archive = execFileSync('tar', [format, '--sort=name', '--mtime=@1000', '-C', tree, '-cf', '-', 'd']);
    const members = unpackMembers(archive, 1000);
    expect(members.map(({ entry }) => [entry.path, entry.type, entry.linkName, entry.mtime.seconds])).toEqual([
      ['d/', 'directory', '', 1000],
      ['d/file', 'file', '', 1000],
      ['d/hard', 'hardlink', 'd/file', 1000],
      ['d/soft', 'symlink', 'file', 1000],
    ]);
    expect(members[1]?.content.toString()).toBe('content');
    expect(members[1]?.entry.mode).toBe(0o640);
  });

  it.each([['--format=gnu'], ['--format=posix']])('reads long names of %s', (format) => {
    const tree = mkdtempSync(join(directory, 'long-'));
    const path = [...Array.from({ length: 5 }, (_, n) => `${n}`.repeat(90)), 'é'.repeat(60)].join('/');
    mkdirSync(join(tree, path), { recursive: true });
    symlinkSync('t'.repeat(200), join(tree, path, 'l'));
    const archive = execFileSync('tar', [format, '-C', tree, '-cf', '-', '0'.repeat(90)]);
    const last = unpackMembers(archive, 333).at(-1)?.entry;
    expect(Buffer.from(last?.path ?? '', 'latin1').toString()).toBe(`${path}/l`);
    expect(last?.linkName).toBe('t'.repeat(200));
  });

  it.each([
    ['--format=gnu', []],
    ['--format=posix', ['--sparse-version=0.0']],
    ['--format=posix', ['--sparse-version=0.1']],
    ['--format=posix', ['--sparse-version=1.0']],
  ])('reads sparse files of %s %j', (format, more) => {
    const tree = mkdtempSync(join(directory, 'sparse-'));
    // More regions than the header block and one extension block have room for.
    const content = makeSparse(join(tree, 'sparse'), 60);
    writeFileSync(join(tree, 'zafter'), 'after');
    const archive = execFileSync('tar', [format, ...more, '-S', '-C', tree, '-cf', '-', 'sparse', 'zafter']);
    expect(archive.length).toBeLessThan(content.length / 2);
    const [sparse, after] = unpackMembers(archive, 777);
    expect(sparse?.entry.path).toBe('sparse');
    expect(sparse?.entry.sparse?.length).toBeGreaterThanOrEqual(60);
    expect(sparse?.content.equals(content)).toBe(true);
    expect(after?.content.toString()).toBe('after');
  });
});

describeWith([gnuTar], 'archives of the writer', () => {
  it('are read by GNU tar without a warning', () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(130)}`;
    const archive = packMembers([
      member('d/', { type: 'directory', mode: 0o755 }),
      file('d/naïve', 'text', { mode: 0o4755, uid: 3_000_000, userName: 'x' }),
      file(long, 'long'),
      member('d/link', { type: 'symlink', linkName: 'naïve' }),
      member('d/hard', { type: 'hardlink', linkName: long }),
    ]);
    const target = mkdtempSync(join(directory, 'out-'));
    const { stderr, status } = spawnSync('tar', ['-C', target, '--no-same-owner', '-xf', '-'], { input: archive, encoding: 'utf8' });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(readFileSync(join(target, 'd/naïve'), 'utf8')).toBe('text');
    expect(readFileSync(join(target, 'd/hard'), 'utf8')).toBe('long');
    const listing = execFileSync('tar', ['--numeric-owner', '-tvf', '-'], { input: archive, encoding: 'utf8' });
    expect(listing).toContain('-rwsr-xr-x 3000000/0');
  });
});
