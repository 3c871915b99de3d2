/** A real root file system, Debian's essential packages, all the way: imported, committed, pushed, pulled, unpacked; as skopeo and umoci see it, too. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { builtCommand, command, describeWith } from '../../../.scripts/jest/requirement.ts';
import { call } from '../../../runtime/src/linux/call.ts';
import { type BenchRegistry, startRegistry } from '../../bench/registry.ts';
import { describeTree, sys } from '../layer/testing.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';

const MIRROR = 'http://deb.debian.org/debian';
const RELEASE = 'bookworm';
/** Made once, and kept where this project keeps what it has fetched. */
const ARCHIVE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tsrun', `debian-essential-${RELEASE}.tar`);
const MINUTES = 60_000;

function isMirrorThere(): boolean {
  const script = `fetch('${MIRROR}/dists/${RELEASE}/InRelease', { method: 'HEAD', signal: AbortSignal.timeout(10000) }).then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))`;
  return spawnSync(process.execPath, ['-e', script]).status === 0;
}

const debian = { what: `Debian packages from ${MIRROR}`, met: existsSync(ARCHIVE) || isMirrorThere() };
const peers = ['docker-registry', 'skopeo', 'umoci', 'mmdebstrap', 'tar'].map(command);

let directory: TemporaryDirectory;
let registry: BenchRegistry;
const at = (name: string) => join(directory.path, name);
const quiet = (path: string, ...args: string[]) => execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const tsimg = (store: string, ...args: string[]) => quiet(resolve(__dirname, '../../../dist/bin/tsimg'), '--root', at(store), ...args);

function makeArchive(): void {
  if (existsSync(ARCHIVE)) return;
  mkdirSync(join(ARCHIVE, '..'), { recursive: true });
  const fresh = `${ARCHIVE}.${process.pid}.tar`;
  quiet('mmdebstrap', '--quiet', '--variant=essential', RELEASE, fresh, MIRROR);
  renameSync(fresh, ARCHIVE);
}

/** What a container's life changes: a file anew, one gone, a link more, owners, modes, times, and an xattr of bytes. */
function change(rootfs: string): void {
  writeFileSync(join(rootfs, 'etc/motd'), 'changed\n');
  rmSync(join(rootfs, 'usr/share/doc'), { recursive: true, force: true });
  linkSync(join(rootfs, 'etc/passwd'), join(rootfs, 'etc/passwd.link'));
  const own = join(rootfs, 'srv/own');
  writeFileSync(own, 'own');
  chownSync(own, 1234, 5678);
  chmodSync(own, 0o4751);
  const value = new Uint8Array([1, 0, 255, 254, 128]).buffer;
  call(sys, 'lsetxattr', own, own, 'user.test', value, value.byteLength, 0);
  utimesSync(own, 1_000_000_000, 1_000_000_000);
}

/** But for the root itself, whose time no layer of these says. */
const filesOf = (path: string) => describeTree(path).slice(1);

describeWith([...peers, builtCommand('tsimg'), debian], 'Debian’s essential packages', () => {
  beforeAll(async () => {
    makeArchive();
    directory = temporaryDirectory();
    registry = await startRegistry(at('registry'));
  }, 20 * MINUTES);
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    directory?.[Symbol.dispose]();
  });

  it(
    'are the same tree after import, commit, push, pull and unpack, and to skopeo and umoci',
    () => {
      const name = `${registry.host}/debian:1`;
      mkdirSync(at('plain'), { mode: 0o755 });
      quiet('tar', '-C', at('plain'), '--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', ARCHIVE);
      tsimg('store', 'import', '-c', 'CMD ["/bin/sh"]', ARCHIVE, name);
      tsimg('store', 'unpack', name, at('bundle'));
      const original = filesOf(at('plain'));
      expect(original.length).toBeGreaterThan(4000);
      expect(filesOf(at('bundle/rootfs'))).toEqual(original);
      change(join(at('bundle'), 'rootfs'));
      const changed = filesOf(at('bundle/rootfs'));
      const digest = tsimg('store', 'commit', at('bundle'), `${registry.host}/debian:2`);
      tsimg('store', 'push', '-q', `${registry.host}/debian:2`);
      expect(JSON.parse(quiet('skopeo', 'inspect', '--tls-verify=false', `docker://${registry.host}/debian:2`))).toMatchObject({
        Digest: digest,
      });
      tsimg('elsewhere', 'pull', '-q', `${registry.host}/debian:2`);
      tsimg('elsewhere', 'unpack', `${registry.host}/debian:2`, at('pulled'));
      expect(filesOf(at('pulled/rootfs'))).toEqual(changed);
      quiet('skopeo', '--insecure-policy', 'copy', '--src-tls-verify=false', `docker://${registry.host}/debian:2`, `oci:${at('layout')}:x`);
      quiet('umoci', 'unpack', '--image', `${at('layout')}:x`, at('umoci'));
      expect(filesOf(at('umoci/rootfs'))).toEqual(changed);
      expect(tsimg('elsewhere', 'verify')).toContain('0 damaged');
      expect(readFileSync(join(at('pulled'), 'rootfs/etc/motd'), 'utf8')).toBe('changed\n');
    },
    10 * MINUTES,
  );
});
