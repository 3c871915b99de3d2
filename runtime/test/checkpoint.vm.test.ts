/** checkpoint and restore with the CRIU of this machine, in the guest kernel: not every host's kernel is one that CRIU knows. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith } from '../../.scripts/jest/requirement.ts';
import { monotonicMs, sleepMs } from '../src/linux/poll.ts';
import { type Change, type Container, Ground } from './ground.ts';

// A guest kernel is slow.
jest.setTimeout(240_000);

const COUNT = 'i=0; while :; do i=$((i+1)); echo $i > /tmp/count; sleep 0.2; done';

describeWith([command('criu')], 'checkpoint and restore', () => {
  let ground: Ground;
  beforeAll(() => {
    ground = new Ground(join(__dirname, '../../dist/bin/tsrun'));
  });
  afterEach(() => ground.expectNothingLeft());
  afterAll(() => ground.dispose());

  /** Counts in its memory, and tells in a file. */
  const counting: Change = (config) => {
    config.process.args = ['sh', '-c', COUNT];
    // CRIU restores it since 3.19.
    config.process.noNewPrivileges = false;
    mkdirSync(join(ground.directory, 'data'), { recursive: true });
    writeFileSync(join(ground.directory, 'data/word'), 'hello');
    config.mounts.push({ destination: '/data', type: 'bind', source: join(ground.directory, 'data'), options: ['bind', 'ro'] });
  };

  function start(change: Change = counting): Container {
    const container = ground.create(change);
    ground.start(container);
    awaitCount(container.bundle, 1);
    return container;
  }

  function count(bundle: string): number {
    const file = join(bundle, 'rootfs/tmp/count');
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  }

  function awaitCount(bundle: string, least: number): void {
    const deadline = monotonicMs(ground.sys) + 60_000;
    while (count(bundle) < least) {
      if (monotonicMs(ground.sys) > deadline) throw new Error(`it counts no further than ${count(bundle)}`);
      sleepMs(ground.sys, 50);
    }
  }

  function ok(...words: string[]): void {
    const { status, stderr } = ground.tsrun(words, { env: { PATH: process.env['PATH'] } });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }

  /** Restores in the background of this test, and returns the container. */
  function restore(bundle: string, images: string, ...flags: string[]): Container {
    const id = ground.id();
    const pidFile = join(ground.directory, 'pids', id);
    ok('restore', '--detach', '--image-path', images, '--bundle', bundle, '--pid-file', pidFile, ...flags, id);
    return { id, bundle, pid: Number(readFileSync(pidFile, 'utf8')) };
  }

  it('goes on where it was, in a cgroup of its own, and as the configuration says', () => {
    const first = start();
    const images = join(ground.directory, 'images');
    ok('checkpoint', '--image-path', images, first.id);
    expect(ground.tsrun(['state', first.id]).stderr).toContain('does not exist');
    ground.reap(first.pid);
    const before = count(first.bundle);
    const second = restore(first.bundle, images);
    awaitCount(first.bundle, before + 1);
    // It went on, and did not begin anew.
    expect(count(first.bundle)).toBeGreaterThan(before);
    expect(readFileSync(`/proc/${second.pid}/cgroup`, 'utf8')).toContain(`0::/${second.id}\n`);
    expect(readFileSync(`/proc/${second.pid}/mountinfo`, 'utf8')).toMatch(/ \/data ro/);
    expect(ground.tsrun(['plan', '--diff', second.id])).toEqual({ status: 0, stderr: 'The container is as its configuration says.\n' });
    ok('exec', second.id, 'grep', '-q', 'hello', '/data/word');
    expect(ground.end(second)).toBe(137);
  });

  it('is left running, with its memory dumped before', () => {
    const container = start();
    const parent = join(ground.directory, 'parent');
    ok('checkpoint', '--pre-dump', '--image-path', parent, container.id);
    const images = join(ground.directory, 'child');
    ok(
      'checkpoint',
      '--leave-running',
      '--parent-path',
      '../parent',
      '--image-path',
      images,
      '--work-path',
      join(images, 'work'),
      container.id,
    );
    expect(existsSync(join(images, 'work/dump.log'))).toBe(true);
    awaitCount(container.bundle, count(container.bundle) + 1);
    ground.end(container);
    const again = restore(container.bundle, images);
    awaitCount(container.bundle, count(container.bundle) + 1);
    ground.end(again);
  });

  it('is refused where the CRIU of this machine would lose what makes it safe', () => {
    const container = start((config) => {
      counting(config);
      config.process.noNewPrivileges = true;
    });
    const images = join(ground.directory, 'unsafe');
    const { status, stderr } = ground.tsrun(['checkpoint', '--image-path', images, container.id], { env: { PATH: process.env['PATH'] } });
    if (status === 0) {
      ground.reap(container.pid);
      const again = restore(container.bundle, images);
      expect(readFileSync(`/proc/${again.pid}/status`, 'utf8')).toMatch(/^NoNewPrivs:\s*1$/m);
      ground.end(again);
      return;
    }
    expect(stderr).toMatch(/process\.noNewPrivileges: this needs CRIU 3\.19, and here is 3\.\d+/);
    awaitCount(container.bundle, count(container.bundle) + 1);
    ground.end(container);
  });

  it('does not run at all when the image gives more than the configuration allows', () => {
    const first = start((config) => {
      counting(config);
      for (const mount of config.mounts) if (mount.destination === '/data') mount.options = ['bind', 'rw'];
    });
    const images = join(ground.directory, 'writable');
    ok('checkpoint', '--image-path', images, first.id);
    ground.reap(first.pid);
    const before = count(first.bundle);
    const path = join(first.bundle, 'config.json');
    const text = readFileSync(path, 'utf8');
    const refused = (wrong: string): string => {
      writeFileSync(path, wrong);
      const { status, stderr } = ground.tsrun(['restore', '--detach', '--image-path', images, '--bundle', first.bundle, ground.id()]);
      expect(status).toBe(1);
      ground.reap();
      ground.expectNothingLeft();
      return stderr;
    };
    expect(refused(text.replace('"rw"', '"ro"'))).toMatch(/mounts\[\d\]: the image does not fit the configuration: \/data: rw, not ro/);
    expect(refused(text.replace('"CAP_KILL",', ''))).toMatch(/process\.capabilities\.\w+: the image does not fit/);
    expect(count(first.bundle)).toBe(before);
    // A key that CRIU could take for another one's.
    expect(refused(text.replace('"/data"', '"/data]:/etc"'))).toContain('CRIU cannot tell a mount at "/data]:/etc" from its own syntax');
  });
});
