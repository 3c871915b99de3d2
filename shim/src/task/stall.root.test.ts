/** A root file system on a device that does not answer: a FUSE mount whose daemon reads no request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describeWith, type Requirement, rootUser } from '../../../.scripts/jest/requirement.ts';
import { call } from '../../../runtime/src/linux/call.ts';
import { close, open } from '../../../runtime/src/linux/files.ts';
import { MNT_DETACH } from '../../../runtime/src/linux/mount-flags.ts';
import { O_RDWR } from '../../../runtime/src/linux/open-flags.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { ThreadOperator } from './operations/thread-operator.ts';
import { bundleDirectory, bundle as makeBundle } from './test/bundles.ts';
import { Ground, shell } from './test/ground.ts';

/** The device answers nothing for so long, and fails then. */
const SILENCE_SECONDS = 30;
/** On a machine that does nothing else it is a few milliseconds; `npm run bench -- shim-stall` measures it. */
const MOST_MS = 5_000;

const fuse: Requirement = { what: '/dev/fuse', met: canOpen('/dev/fuse') };

function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

describeWith([rootUser, staticBusybox, fuse], 'a device that does not answer', () => {
  const directory = bundleDirectory();
  let ground: Ground;
  let daemon: ChildProcess | undefined;
  let mounted: string | undefined;

  beforeAll(() => {
    const warn = (message: string) => ground.warnings.push(message);
    ground = new Ground(new ThreadOperator(makeBundle(directory, 'operations/worker'), warn, { usual: 1, most: 4 }));
  });
  afterAll(async () => {
    daemon?.kill('SIGKILL');
    if (mounted !== undefined) call(ground.sys, 'umount2', mounted, mounted, MNT_DETACH);
    await ground.dispose();
    rmSync(directory, { recursive: true });
  });

  it('holds up the container that needs it, and no other', async () => {
    const { client, sys } = ground;
    const source = join(ground.directory, 'silent');
    mkdirSync(source);
    const fd = open(sys, '/dev/fuse', { flags: O_RDWR });
    call(sys, 'mount', source, 'fuse', source, 'fuse', 0, `fd=${fd},rootmode=40000,user_id=0,group_id=0`);
    mounted = source;
    const holder = spawn('sleep', [String(SILENCE_SECONDS)], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    daemon = holder;
    close(sys, fd);

    const bundle = ground.bundle(args('sleep', '100'), (config) => {
      config.root = { path: 'rootfs' };
    });
    let silent = true;
    const held = client.Create({ id: 'task-held', bundle, rootfs: [{ type: 'bind', source, options: ['rbind'] }] }).finally(() => {
      silent = false;
    });
    held.catch(() => undefined);
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    for (let turn = 0; turn < 3; turn++) {
      const id = `task-free-${turn}`;
      await client.Create({ id, bundle: ground.bundle(args('sleep', '100')) });
      await client.Start({ id });
      expect(await client.State({ id })).toMatchObject({ status: 2 });
      await client.Exec({ id, execId: 'e', spec: shell('exit 4') });
      await client.Start({ id, execId: 'e' });
      expect(await client.Wait({ id, execId: 'e' })).toMatchObject({ exitStatus: 4 });
      await client.Kill({ id, signal: 9 });
      await client.Wait({ id });
      await client.Delete({ id });
    }
    delays.disable();
    expect(silent).toBe(true);
    expect(delays.max / 1e6).toBeLessThan(MOST_MS);

    const ended = new Promise((done) => holder.once('exit', done));
    holder.kill('SIGKILL');
    await ended;
    await expect(held).rejects.toThrow(/OCI runtime create failed/);
    expect(ground.ids()).toEqual([]);
  }, 60_000);
});
