/** The command itself, built, against Debian's registry, skopeo, umoci and runc. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { command, describeWith, itWith } from '../../../.scripts/jest/requirement.ts';
import { describeTree } from '../layer/testing.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';

const peers = ['docker-registry', 'skopeo', 'umoci', 'runc', 'busybox'].map(command);

let directory: TemporaryDirectory;
let registry: ChildProcess;
let host: string;
const at = (name: string) => join(directory.path, name);
const node = process.execPath;
/** Nobody's ids: of a user who runs the command, and of a file in the image. */
const [USER, OWNER] = [54_321, 1234];

function tsimg(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(node, [at('tsimg.cjs'), '--root', at('store'), ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tsimg ${args.join(' ')}: ${status}\n${stderr}`);
  return stdout.trim();
}

const quiet = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

beforeAll(async () => {
  if (peers.some(({ met }) => !met)) return;
  directory = temporaryDirectory();
  const root = resolve(__dirname, '../../..');
  await build({
    entryPoints: [join(root, 'imagetool/src/cli/main.ts')],
    outfile: at('tsimg.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    logLevel: 'error',
    external: ['koffi'],
  });
  execFileSync('ln', ['-s', join(root, 'node_modules'), at('node_modules')]);
  host = `127.0.0.1:${await freePort()}`;
  writeFileSync(
    at('registry.yml'),
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${at('registry')}}, delete: {enabled: true}}\nhttp: {addr: ${host}}\n`,
  );
  registry = spawn('docker-registry', ['serve', at('registry.yml')], { stdio: 'ignore' });
  makeImage();
  for (let attempt = 0; attempt < 50; attempt += 1) {
    if (
      spawnSync('skopeo', ['--insecure-policy', 'copy', '--dest-tls-verify=false', `oci:${at('layout')}:x`, `docker://${host}/team/app:1`])
        .status === 0
    )
      return;
    await sleep(100);
  }
  throw new Error('the registry does not start');
}, 60_000);

afterAll(() => {
  registry?.kill('SIGKILL');
  directory?.[Symbol.dispose]();
});

function makeImage(): void {
  const rootfs = at('seed');
  for (const name of ['bin', 'etc', 'data']) mkdirSync(join(rootfs, name), { recursive: true });
  execFileSync('cp', ['/bin/busybox', join(rootfs, 'bin/busybox')]);
  for (const name of ['sh', 'cat', 'id']) execFileSync('ln', ['-s', 'busybox', join(rootfs, 'bin', name)]);
  execFileSync('ln', [join(rootfs, 'bin/busybox'), join(rootfs, 'bin/hard')]);
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:100:101::/home/app:/bin/sh\n');
  chownSync(join(rootfs, 'etc/passwd'), OWNER, OWNER);
  writeFileSync(join(rootfs, 'etc/group'), 'app:x:101:\nextra:x:200:app\n');
  writeFileSync(join(rootfs, 'data/random'), randomBytes(30_000_000));
  quiet('umoci', 'init', '--layout', at('layout'));
  quiet('umoci', 'new', '--image', `${at('layout')}:x`);
  quiet('umoci', 'insert', '--image', `${at('layout')}:x`, rootfs, '/');
  quiet(
    'umoci',
    'config',
    '--image',
    `${at('layout')}:x`,
    '--config.user',
    'app',
    '--config.cmd',
    'sh',
    '--config.cmd',
    '-c',
    '--config.cmd',
    'id; cat /etc/new',
  );
}

describeWith(peers, 'tsimg', () => {
  it('pulls, unpacks, runs, diffs, commits and pushes', () => {
    expect(tsimg('pull', `${host}/team/app:1`)).toBe(`${host}/team/app:1`);
    const bundle = at('bundle');
    tsimg('unpack', `${host}/team/app:1`, bundle);
    quiet('umoci', 'unpack', '--image', `${at('layout')}:x`, at('umoci'));
    expect(describeTree(join(bundle, 'rootfs'))).toEqual(describeTree(join(at('umoci'), 'rootfs')));
    expect(tsimg('diff', bundle)).toBe('');
    writeFileSync(join(bundle, 'rootfs/etc/new'), 'from the layer\n');
    const diff = spawnSync(node, [at('tsimg.cjs'), '--root', at('store'), 'diff', bundle], { encoding: 'utf8' });
    expect([diff.status, diff.stdout]).toEqual([1, 'A /etc/new\n']);
    const digest = tsimg('commit', bundle, `${host}/team/app:2`);
    expect(tsimg('push', `${host}/team/app:2`)).toContain(`digest: ${digest}`);
    const inspected: unknown = JSON.parse(quiet('skopeo', 'inspect', '--tls-verify=false', `docker://${host}/team/app:2`));
    expect(inspected).toMatchObject({ Digest: digest });
    expect(tsimg('list-tags', `${host}/team/app`).split('\n').sort()).toEqual(['1', '2']);
    tsimg('unpack', `${host}/team/app:2`, at('second'));
    expect(quiet('runc', '--root', at('runc'), 'run', '-b', at('second'), `tsimg-test-${process.pid}`)).toBe(
      'uid=100(app) gid=101(app) groups=200(extra)\nfrom the layer\n',
    );
    // What runc mounts on is no change.
    expect(tsimg('diff', at('second'))).toBe('');
  });

  itWith([command('buildah')], 'unpacks what buildah unpacks', () => {
    tsimg('pull', '-q', `${host}/team/app:1`);
    tsimg('unpack', `${host}/team/app:1`, at('pristine'));
    const buildah = (...args: string[]) =>
      quiet('buildah', '--root', at('buildah'), '--runroot', at('buildah-run'), '--storage-driver', 'vfs', ...args).trim();
    const container = buildah('from', '-q', '--tls-verify=false', `${host}/team/app:1`);
    const mounted = buildah('mount', container);
    try {
      // The root's own time is that of the mount.
      const files = (path: string) => describeTree(path).slice(1);
      expect(files(mounted)).toEqual(files(join(at('pristine'), 'rootfs')));
    } finally {
      buildah('umount', container);
      buildah('rm', container);
    }
  });

  it('does the same for a user without privileges, who gives back the owners in the layer', () => {
    const home = at('home');
    mkdirSync(home);
    chownSync(home, USER, USER);
    // Down to the command, which lies where only root may look.
    chmodSync(directory.path, 0o755);
    const asUser = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(node, [at('tsimg.cjs'), '--root', join(home, 'store'), ...args], {
        encoding: 'utf8',
        uid: USER,
        gid: USER,
        env: { PATH: '/usr/bin:/bin', HOME: home },
      });
      if (status !== 0 && args[0] !== 'diff') throw new Error(`tsimg ${args.join(' ')}: ${status}\n${stderr}`);
      return stdout.trim();
    };
    asUser('pull', '-q', `${host}/team/app:1`);
    const bundle = join(home, 'bundle');
    asUser('unpack', `${host}/team/app:1`, bundle);
    expect(asUser('diff', bundle)).toBe('');
    writeFileSync(join(bundle, 'rootfs/etc/passwd'), 'app:x:100:101::/home/app:/bin/sh\n');
    expect(asUser('diff', bundle)).toBe('C /etc/passwd');
    asUser('commit', bundle, `${host}/team/app:user`);
    asUser('push', '-q', `${host}/team/app:user`);
    tsimg('pull', '-q', `${host}/team/app:user`);
    tsimg('unpack', `${host}/team/app:user`, at('of-user'));
    const changed = statSync(join(at('of-user'), 'rootfs/etc/passwd'));
    expect([changed.uid, changed.gid]).toEqual([OWNER, OWNER]);
  });

  it('goes on with a pull that was killed', async () => {
    rmSync(at('store'), { recursive: true, force: true });
    // So slow that there is time for the kill: the download, not the store, is throttled by stopping the process in between.
    const child = spawn(node, [at('tsimg.cjs'), '--root', at('store'), '--progress', 'json', 'pull', `${host}/team/app:1`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const closed = new Promise((done) => child.once('close', done));
    for await (const chunk of child.stderr) {
      if (String(chunk).includes('"kind":"bytes"')) break;
    }
    child.kill('SIGKILL');
    await closed;
    const partials = readdirSync(at('store/ingest')).map((name) => statSync(join(at('store/ingest'), name)).size);
    const events = spawnSync(node, [at('tsimg.cjs'), '--root', at('store'), '--progress', 'json', 'pull', `${host}/team/app:1`], {
      encoding: 'utf8',
    });
    expect(events.status).toBe(0);
    const kept = [...events.stderr.matchAll(/"kept":(\d+)/g)].map((match) => Number(match[1]));
    for (const size of partials.filter((one) => one > 0 && one < 30_000_000)) expect(kept).toContain(size);
    expect(tsimg('verify')).toContain('0 damaged');
    expect(existsSync(at('store/ingest')) && readdirSync(at('store/ingest'))).toEqual([]);
    expect(tsimg('gc', '--all')).toBe('Total reclaimed space: 0B');
  });

  it('saves what skopeo reads as docker’s and as OCI’s archive, and loads what skopeo writes', () => {
    const name = `${host}/team/app:1`;
    tsimg('save', '-o', at('saved.tar'), name);
    const config = quiet('skopeo', 'inspect', '--config', '--raw', `oci:${at('layout')}:x`);
    for (const transport of ['docker-archive', 'oci-archive']) {
      expect(quiet('skopeo', 'inspect', '--config', '--raw', `${transport}:${at('saved.tar')}`)).toBe(config);
    }
    const before = (JSON.parse(tsimg('inspect', name)) as { digest: string }[])[0]?.digest;
    quiet('skopeo', '--insecure-policy', 'copy', `oci:${at('layout')}:x`, `docker-archive:${at('docker.tar')}:example.com/from/docker:1`);
    quiet('skopeo', '--insecure-policy', 'copy', `oci:${at('layout')}:x`, `oci-archive:${at('oci.tar')}:example.com/from/oci:1`);
    for (const [archive, loaded] of [
      ['docker.tar', 'Loaded image: example.com/from/docker:1'],
      ['oci.tar', 'Loaded image: example.com/from/oci:1'],
      ['saved.tar', `Loaded image: ${name}`],
    ] as const) {
      rmSync(at('store'), { recursive: true, force: true });
      expect(tsimg('load', '-i', at(archive))).toBe(loaded);
      expect(tsimg('verify')).toContain('0 damaged');
      const [image] = JSON.parse(tsimg('inspect', loaded.replace('Loaded image: ', ''))) as { digest: string; config: object }[];
      expect(image?.config).toEqual(JSON.parse(config));
      if (archive !== 'docker.tar') expect(image?.digest).toBe(before);
    }
  });

  it('copies between registries, with all platforms, and fetches nothing the target has', () => {
    const digest = tsimg('copy', `${host}/team/app:1`, `${host}/copied/app:1`);
    expect(JSON.parse(quiet('skopeo', 'inspect', '--tls-verify=false', `docker://${host}/copied/app:1`))).toMatchObject({ Digest: digest });
    rmSync(at('copies'), { recursive: true, force: true });
    const again = spawnSync(node, [at('tsimg.cjs'), '--root', at('copies'), 'copy', `${host}/team/app:1`, `${host}/copied/app:2`], {
      encoding: 'utf8',
    });
    expect([again.status, again.stderr.includes('Download')]).toEqual([0, false]);
  });

  it('imports, appends, changes the configuration and makes an index, for umoci to unpack', () => {
    mkdirSync(at('files/etc'), { recursive: true });
    writeFileSync(at('files/etc/one'), 'one');
    quiet('tar', '-C', at('files'), '-cf', at('one.tar'), 'etc');
    quiet('tar', '-C', at('files'), '-czf', at('two.tar'), '--transform', 's/one$/two/', 'etc/one');
    tsimg('import', at('one.tar'), 'example.com/made:1');
    tsimg('append', 'example.com/made:1', at('two.tar'), 'example.com/made:2');
    tsimg('mutate', '-e', 'A=b', '--cmd', '["sh", "-c", "x y"]', '-l', 'k=v', 'example.com/made:2', 'example.com/made:3');
    quiet('umoci', 'unpack', '--image', `${at('store')}:example.com/made:3`, at('made'));
    expect(readdirSync(at('made/rootfs/etc')).sort()).toEqual(['one', 'two']);
    expect(JSON.parse(tsimg('inspect', '--config', 'example.com/made:3'))).toMatchObject([
      { config: { Env: ['A=b'], Cmd: ['sh', '-c', 'x y'], Labels: { k: 'v' } }, history: [{}, {}, { empty_layer: true }] },
    ]);
    tsimg('index', 'example.com/made:all', 'example.com/made:3');
    tsimg('push', 'example.com/made:all', `${host}/made:all`);
    expect(JSON.parse(quiet('skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${host}/made:all`))).toMatchObject({
      manifests: [{ platform: { os: 'linux' } }],
    });
    const notTar = spawnSync(node, [at('tsimg.cjs'), '--root', at('store'), 'import', at('registry.yml')], { encoding: 'utf8' });
    expect([notTar.status, notTar.stderr.startsWith('tsimg: tar archive: ')]).toEqual([1, true]);
  });

  it('prints one sentence and a way on for what goes wrong', () => {
    const { status, stderr } = spawnSync(node, [at('tsimg.cjs'), '--root', at('store'), 'inspect', 'nothing'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([
      1,
      'tsimg: there is no image nothing in the store\ntsimg images lists what is there; tsimg pull fetches.\n',
    ]);
    const wrong = spawnSync(node, [at('tsimg.cjs'), 'pull', '--nonsense'], { encoding: 'utf8' });
    expect([wrong.status, wrong.stderr]).toEqual([2, 'tsimg: unknown option --nonsense\n']);
  });

  it('keeps a store that other users of the same layout can read', () => {
    expect(JSON.parse(readFileSync(at('store/oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(quiet('umoci', 'ls', '--layout', at('store')).split('\n')).toContain(`${host}/team/app:1`);
  });
});
