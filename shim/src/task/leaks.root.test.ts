import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { findHierarchy } from '../../../runtime/src/cgroups/hierarchy.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { ThreadOperator } from './operations/thread-operator.ts';
import { bundleDirectory, bundle as makeBundle } from './test/bundles.ts';
import { Ground, shell } from './test/ground.ts';
import { openWriter, PipeReader } from './test/reader.ts';

interface Usage {
  readonly fds: readonly string[];
  readonly mounts: number;
  readonly children: string;
  readonly state: readonly string[];
  readonly cgroups: number;
}

/** What is open, without the numbers that differ. Directories are what the listing itself has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`).replace(/\[\d+\]/, '')];
      } catch {
        return [];
      }
    })
    .sort();
}

describeWith([rootUser, staticBusybox], 'many tasks, on threads', () => {
  let ground: Ground;
  const directory = bundleDirectory();

  beforeAll(() => {
    ground = new Ground(
      new ThreadOperator(makeBundle(directory, 'operations/worker'), (message) => ground.warnings.push(message), { usual: 2, most: 2 }),
    );
  });
  afterAll(async () => {
    await ground.dispose();
    rmSync(directory, { recursive: true });
  });

  const mountPoint = findHierarchy(createNodeSys())?.mountPoint ?? '/none';
  const usage = (): Usage => ({
    fds: openFiles(),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(ground.directory)).length,
    children: readdirSync('/proc/self/task')
      .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim().split(' '))
      .filter((pid) => pid !== '')
      .sort()
      .join(' '),
    state: [
      ...readdirSync(ground.directory),
      ...readdirSync(join(ground.directory, 'state')),
      ...readdirSync(join(ground.directory, 'root/test')),
    ],
    cgroups: readdirSync(mountPoint, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('task-leak-')).length,
  });

  const one = async (id: string, bundle: string, stdout: string, exec: boolean): Promise<void> => {
    const { client } = ground;
    await client.Create({ id, bundle, stdout });
    await client.Start({ id });
    if (exec) {
      await client.Exec({ id, execId: 'e', stdout, spec: shell('echo exec') });
      await client.Start({ id, execId: 'e' });
      await client.Wait({ id, execId: 'e' });
      await client.Delete({ id, execId: 'e' });
    }
    await client.Kill({ id, signal: 9 });
    expect(await client.Wait({ id })).toMatchObject({ exitStatus: 137 });
    await client.Delete({ id });
  };

  it('leave no descriptor, mount, process, cgroup or file; 20 at a time', async () => {
    const bundle = ground.bundle(args('sleep', '100'));
    const stdout = ground.pipe('out');
    const reader = new PipeReader(stdout);
    const keeper = openWriter(stdout);
    // Threads, caches and streams that stay are there after the first ones.
    await Promise.all(Array.from({ length: 20 }, (_, index) => one(`task-leak-first-${index}`, bundle, stdout, index % 5 === 0)));
    const before = usage();
    let serial = 0;
    const worker = async (): Promise<void> => {
      for (let next = serial++; next < 200; next = serial++) await one(`task-leak-${next}`, bundle, stdout, next % 5 === 0);
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    expect(usage()).toEqual(before);
    expect(before.cgroups).toBe(0);
    keeper.close();
    await reader.ended;
    expect(reader.text.match(/exec\n/g)).toHaveLength(44);
    expect(ground.warnings).toEqual([]);
  }, 120_000);
});
