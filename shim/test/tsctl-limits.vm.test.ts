/** Limits of tsctl's containers, by what the kernel does: in the guest, whose hierarchy has the controllers. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith, unifiedCgroups } from '../../.scripts/jest/requirement.ts';
import { stageRequirements, TsctlStage } from './tsctl-stage.ts';

/** The guest is emulated: Node alone takes seconds to start. */
const PATIENCE_MS = 600_000;

jest.setTimeout(PATIENCE_MS);

/** Of the lecture. */
const SHARES = [1024, 640, 2048];
/** Together; long enough that a scheduler's slice is nothing. */
const MEASURED_US = 4_000_000;

describeWith([...stageRequirements, unifiedCgroups], 'limits of tsctl', () => {
  let stage: TsctlStage;

  beforeAll(async () => {
    stage = await TsctlStage.open();
  }, PATIENCE_MS);

  afterAll(() => stage.close(), PATIENCE_MS);

  function usageUs(id: string): number {
    const text = readFileSync(`/sys/fs/cgroup/tsctl/${id}/cpu.stat`, 'utf8');
    return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]);
  }

  it('shares the processor in the ratio of --cpu-shares, and takes other limits meanwhile', async () => {
    // All on one processor, so that each has to share it.
    const ids = SHARES.map((shares) =>
      stage
        .succeeds(
          'run',
          '-d',
          '--network',
          'none',
          '-c',
          String(shares),
          '--cpuset-cpus',
          '0',
          'busybox',
          'sh',
          '-c',
          'while :; do :; done',
        )
        .trim(),
    );
    const before = ids.map(usageUs);
    const used = () => ids.map((id, index) => usageUs(id) - (before[index] ?? 0));
    while (used().reduce((sum, one) => sum + one, 0) < MEASURED_US) await sleep(100);
    const times = used();
    const [first = 1] = times;
    const ratios = times.map((one) => one / first);
    // The runtime turns shares into weights, which are whole numbers.
    for (const [index, shares] of SHARES.entries()) {
      const wanted = shares / (SHARES[0] ?? 1);
      expect(ratios[index]).toBeGreaterThan(wanted * 0.8);
      expect(ratios[index]).toBeLessThan(wanted * 1.25);
    }
    // Limits of what runs are changed where it runs.
    const [id = ''] = ids;
    stage.succeeds('update', '-m', '64m', '--memory-swap', '64m', '--pids-limit', '50', id);
    const limit = (name: string) => readFileSync(`/sys/fs/cgroup/tsctl/${id}/${name}`, 'utf8').trim();
    expect([limit('memory.max'), limit('pids.max')]).toEqual([String(64 << 20), '50']);
    stage.succeeds('rm', '-f', ...ids);
  });

  it('tells that a container was killed for want of memory', () => {
    const words = ['-m', '16m', '--memory-swap', '16m', 'busybox', 'sh', '-c', 'x=x; while :; do x=$x$x; done'];
    expect(stage.tsctl('run', '--name', 'hungry', '--network', 'none', ...words).code).toBe(137);
    expect(stage.succeeds('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hungry')).toBe('true 137\n');
  });
});
