/** Many containers, and many times the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { waitForExit } from '../src/linux/processes.ts';
import { create } from '../src/operations/create.ts';
import { deleteContainer } from '../src/operations/delete.ts';
import { start } from '../src/operations/start.ts';
import { staticBusybox } from './bundle.ts';
import { cgroupsOf } from './cli.ts';
import { Fixture } from './exec-fixture.ts';
import { onBothEngines } from './ground.ts';
import { recordOf } from './record.ts';

const CYCLES = 1000;

function proportionalKilobytes(pid: number): number {
  return Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

onBothEngines('created containers', (ground) => {
  it('cost at most 300 KB each, and can be a hundred at once', () => {
    const bundle = ground().bundle((config) => {
      config.process.args = ['sleep', '1000'];
    });
    const ids = Array.from({ length: ground().command.endsWith('node') ? 20 : 100 }, (_, index) => `many-${index}`);
    for (const id of ids) expect(ground().tsrun(['create', '-b', bundle, id])).toEqual({ status: 0, stderr: '' });
    const pids = ids.map((id) => recordOf(ground().root, id).pid);
    expect(Math.max(...pids.map(proportionalKilobytes))).toBeLessThanOrEqual(300);
    for (const id of ids) expect(ground().tsrun(['delete', '--force', id])).toEqual({ status: 0, stderr: '' });
    ground().reap();
  });
});

describeWith([rootUser, staticBusybox], 'the library in one process', () => {
  it(`makes, starts and deletes ${CYCLES} containers and leaves no descriptor, process, cgroup, mount or file`, () => {
    const fixture = new Fixture();
    const bundle = fixture.bundle((config) => {
      if (config.process !== undefined) config.process.args = ['true'];
    });
    const cycle = (id: string): void => {
      const { record } = create(fixture.context(), { id, bundle });
      start(fixture.context(), id);
      expect(waitForExit(fixture.sys, record.pid)).toMatchObject({ status: 0, signaled: false });
      deleteContainer(fixture.context(), { id, force: false });
    };
    const seen = (): unknown => ({
      descriptors: readdirSync('/proc/self/fd').length,
      processes: readdirSync('/proc/self/task').map((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8')),
      mounts: readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(fixture.directory)),
      files: readdirSync(fixture.directory).sort(),
      states: readdirSync(join(fixture.directory, 'state')),
    });
    try {
      cycle('warm-up');
      const before = seen();
      for (let index = 0; index < CYCLES; index++) cycle(`scale-${process.pid}-${index}`);
      expect(seen()).toEqual(before);
      expect(cgroupsOf(`scale-${process.pid}-*`)).toEqual([]);
      expect(fixture.warnings).toEqual([]);
    } finally {
      fixture.dispose();
    }
  }, 180_000);
});
