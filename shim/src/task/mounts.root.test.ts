import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { args, makeBundle, staticBusybox } from '../../../runtime/test/bundle.ts';
import { Ground } from './test/ground.ts';

describeWith([rootUser, staticBusybox], 'the root file system of a task', () => {
  let ground: Ground;
  const mounts = () =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(ground.directory));

  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.dispose());

  /** A bundle without a root of its own, and an image beside it. */
  const bundle = (script: string): { readonly path: string; readonly image: string } => {
    const path = makeBundle(join(ground.directory, 'b'), args('sh', '-c', script), (config) => {
      config.root = { path: 'rootfs' };
    });
    const image = join(ground.directory, 'image');
    mkdirSync(image);
    return { path, image };
  };
  const run = async (path: string, rootfs: object[]): Promise<number | null | undefined> => {
    const { client } = ground;
    await client.Create({ id: 'task-rootfs', bundle: path, rootfs });
    await client.Start({ id: 'task-rootfs' });
    const { exitStatus } = await client.Wait({ id: 'task-rootfs' });
    expect(mounts().length).toBeGreaterThan(0);
    await client.Delete({ id: 'task-rootfs' });
    expect(mounts()).toEqual([]);
    return exitStatus;
  };

  it('is an overlay of many layers, and gone afterwards', async () => {
    const { path, image } = bundle('test "$(cat /etc/layer-0 /etc/layer-99)" = "099" && echo x > /etc/new');
    renameSync(join(path, 'rootfs'), join(image, 'base'));
    const layers = Array.from({ length: 100 }, (_, index) => join(image, `the-layer-${index}`));
    for (const [index, layer] of layers.entries()) {
      mkdirSync(join(layer, 'etc'), { recursive: true });
      writeFileSync(join(layer, 'etc', `layer-${index}`), String(index));
    }
    const upper = { upperdir: join(image, 'upper'), workdir: join(image, 'work') };
    for (const directory of Object.values(upper)) mkdirSync(directory);
    const lowerdir = [...layers, join(image, 'base')].join(':');
    // One page does not hold their names.
    expect(lowerdir.length).toBeGreaterThan(4096);
    const options = Object.entries({ lowerdir, ...upper }).map(([name, value]) => `${name}=${value}`);
    expect(await run(path, [{ type: 'overlay', source: 'overlay', target: '', options }])).toBe(0);
    expect(readFileSync(join(upper.upperdir, 'etc/new'), 'utf8')).toBe('x\n');
  });

  it('is a read-only bind mount', async () => {
    const { path } = bundle('touch /x 2>/dev/null; test ! -e /x');
    expect(await run(path, [{ type: 'bind', source: join(path, 'rootfs'), target: '', options: ['rbind', 'ro'] }])).toBe(0);
  });

  it('that cannot be mounted is refused, and nothing is left', async () => {
    const { path, image } = bundle('true');
    const { client } = ground;
    const good = { type: 'bind', source: image, target: '', options: ['rbind'] };
    for (const bad of [
      { type: 'bind', source: '/no/such', target: '', options: ['bind'] },
      { type: 'nosuchfs', source: 'x', target: '', options: [] },
      { type: 'bind', source: image, target: '../x', options: ['bind'] },
      { type: 'ext4', source: '/image', target: '', options: ['loop'] },
    ]) {
      await expect(client.Create({ id: 'task-bad', bundle: path, rootfs: [good, bad] })).rejects.toMatchObject({
        message: expect.stringMatching(/^OCI runtime create failed: /),
      });
      expect(mounts()).toEqual([]);
    }
  });
});
