/** A checkpoint of a task, and another one from it, where CRIU knows the kernel: Debian 12's does not know Linux 6.18. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describeWith, type Requirement, rootUser } from '../../../.scripts/jest/requirement.ts';
import { args, type ConfigChange, staticBusybox } from '../../../runtime/test/bundle.ts';
import { anyOf } from '../../../specs/containerd/any.ts';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { Ground, textOf } from './test/ground.ts';

jest.setTimeout(300_000);

const newCriu: Requirement = { what: 'CRIU 4 or newer that knows this kernel', met: isNew() && spawnSync('criu', ['check']).status === 0 };

function isNew(): boolean {
  const { stdout } = spawnSync('criu', ['--version'], { encoding: 'utf8' });
  return Number(/^Version: (\d+)/m.exec(stdout ?? '')?.[1] ?? 0) >= 4;
}

const { CheckpointOptions } = containerd.runc.v1;
const { TaskCheckpointed } = containerd.events;
const COUNT = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done';

describeWith([rootUser, staticBusybox, newCriu], 'a checkpoint of a task', () => {
  let ground: Ground;

  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.dispose());

  /** CRIU restores processes without new privileges since 3.19. */
  const counting: ConfigChange[] = [
    args('sh', '-c', COUNT),
    (config) => {
      if (config.process !== undefined) config.process.noNewPrivileges = false;
    },
  ];
  const options = (fields: containerd.runc.v1.CheckpointOptions.$Properties) =>
    anyOf('containerd.runc.v1.CheckpointOptions', CheckpointOptions, fields);
  const log = (name: string) => join(ground.directory, name);
  const last = (name: string) => Number(textOf(log(name)).trim().split('\n').at(-1));

  async function counts(name: string, beyond: number): Promise<void> {
    for (const end = Date.now() + 120_000; !(last(name) > beyond); ) {
      if (Date.now() > end) throw new Error(`${name} counts no further than ${last(name)}:\n${ground.warnings.join('\n')}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  it('leaves it running, ends it, and is where another begins', async () => {
    const { client } = ground;
    await client.Create({ id: 'task-first', bundle: ground.bundle(...counting), stdout: `file://${log('first')}` });
    await client.Start({ id: 'task-first' });
    await counts('first', 2);
    await client.Checkpoint({ id: 'task-first', path: join(ground.directory, 'running') });
    expect(await client.State({ id: 'task-first' })).toMatchObject({ status: 2 });
    await counts('first', last('first'));

    const image = join(ground.directory, 'image');
    await client.Checkpoint({ id: 'task-first', path: image, options: options({ exit: true }) });
    expect(await client.Wait({ id: 'task-first' })).toMatchObject({ exitStatus: 137 });
    const reached = last('first');
    await client.Delete({ id: 'task-first' });
    const told = ground.events.filter(({ topic }) => topic === '/tasks/checkpointed').map(({ event }) => event.value ?? new Uint8Array());
    expect(told.map((value) => TaskCheckpointed.decode(value).checkpoint)).toEqual([join(ground.directory, 'running'), image]);

    const again = { id: 'task-again', bundle: ground.bundle(...counting), stdout: `file://${log('again')}`, checkpoint: image };
    expect(await client.Create(again)).toMatchObject({ pid: 0 });
    expect(await client.State({ id: 'task-again' })).toMatchObject({ status: 1 });
    const { pid } = await client.Start({ id: 'task-again' });
    expect(pid).toBeGreaterThan(0);
    await counts('again', reached + 1);
    const [first] = textOf(log('again')).split('\n');
    // It goes on with what it had in its memory. What was in its pipe may be told by both.
    expect(Number(first)).toBeGreaterThan(2);
    expect(await client.State({ id: 'task-again' })).toMatchObject({ status: 2, pid });
    await client.Kill({ id: 'task-again', signal: 9 });
    expect(await client.Wait({ id: 'task-again' })).toMatchObject({ exitStatus: 137 });
    await client.Delete({ id: 'task-again' });
    expect(ground.history().slice(-4)).toEqual(['create task-again', 'start task-again', 'exit task-again 137', 'delete task-again']);
  });
});
