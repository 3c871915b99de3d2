/** What holds all of tsctl's containers: after the machine was down, with many at once, with nobody left to ask. */

import { once } from 'node:events';
import { describeWith, itWith } from '../../.scripts/jest/requirement.ts';
import { networkTools, PATIENCE_MS, stageRequirements, TsctlStage, until } from './tsctl-stage.ts';

/** `TSCTL_AT_ONCE=100` for many. */
const AT_ONCE = Number(process.env['TSCTL_AT_ONCE'] ?? 8);

jest.setTimeout(PATIENCE_MS * 2);

describeWith(stageRequirements, 'tsctl, all of it', () => {
  let stage: TsctlStage;
  const status = (name: string) => stage.succeeds('inspect', '-f', '{{.State.Status}}', name).trim();

  beforeAll(async () => {
    stage = await TsctlStage.open();
  }, PATIENCE_MS);

  afterAll(() => stage.close(), PATIENCE_MS);

  it('brings back what should run, after all was down', async () => {
    const start = (name: string, policy: string) =>
      stage.succeeds('run', '-d', '--name', name, '--restart', policy, '--network', 'none', 'busybox', 'sleep', '1000');
    start('always', 'always');
    start('stopped', 'unless-stopped');
    start('never', 'no');
    stage.succeeds('stop', '-t', '0', 'stopped');
    // As when the machine goes down: the one who watches first, so that nobody sees the ends.
    const pids = ['always', 'never'].map((name) => Number(stage.succeeds('inspect', '-f', '{{.State.Pid}}', name)));
    for (const pid of [...stage.shimPids(), ...pids]) process.kill(pid, 'SIGKILL');
    await until(() => status('always') === 'exited');
    expect(stage.succeeds('system', 'start')).toBe('always\n');
    expect(['always', 'stopped', 'never'].map(status)).toEqual(['running', 'exited', 'exited']);
    expect(stage.succeeds('inspect', '-f', '{{.State.ExitCode}}', 'never')).toBe('255\n');
    stage.succeeds('rm', '-f', 'always', 'stopped', 'never');
  });

  it('removes by force what runs and what nobody holds any more', () => {
    stage.succeeds('run', '-d', '--name', 'orphan', '--network', 'none', 'busybox', 'sleep', '1000');
    for (const pid of stage.shimPids()) process.kill(pid, 'SIGKILL');
    expect(stage.succeeds('rm', '-f', 'orphan')).toBe('orphan\n');
    expect(stage.tsctl('rm', '-f', 'orphan')).toMatchObject({ code: 0, stderr: expect.stringContaining('No such container: orphan') });
    expect(stage.tsctl('rm', 'orphan').code).toBe(1);
  });

  itWith(networkTools, 'starts many at once, each with an address of its own', async () => {
    const children = Array.from({ length: AT_ONCE }, (_, index) =>
      stage.spawnInside(stage.line('run', '-d', '--name', `many-${index}`, 'busybox', 'sleep', '1000')),
    );
    const failures: string[] = [];
    await Promise.all(
      children.map(async (child) => {
        let said = '';
        child.stderr.on('data', (text) => {
          said += text;
        });
        child.stdout.resume();
        const [code] = await once(child, 'close');
        if (code !== 0) failures.push(said);
      }),
    );
    expect(failures).toEqual([]);
    const names = children.map((_, index) => `many-${index}`);
    const addresses = stage
      .succeeds('inspect', '-f', '{{.State.Status}} {{.NetworkSettings.IPAddress}}', ...names)
      .trim()
      .split('\n');
    expect(new Set(addresses).size).toBe(AT_ONCE);
    expect(addresses.every((line) => /^running \d+\.\d+\.\d+\.\d+$/.test(line))).toBe(true);
    stage.succeeds('rm', '-f', ...names);
  });
});
