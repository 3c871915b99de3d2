/** What `tsctl system systemd-unit` prints, under a systemd: after the machine was down, it starts what should run. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../../.scripts/jest/requirement.ts';
import { makeBusyboxImage, stageRequirements } from './tsctl-stage.ts';

/** The guest is emulated: Node alone takes seconds to start. */
const PATIENCE_MS = 600_000;
jest.setTimeout(PATIENCE_MS);

const tsctl = resolve(__dirname, '../../dist/bin/tsctl');
const UNIT = '/etc/systemd/system/tsctl.service';

describeWith(stageRequirements, "tsctl's unit", () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsctl-unit-'));
  const root = join(directory, 'root');
  const run = (program: string, ...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${status}\n${stdout}${stderr}`);
    return stdout;
  };
  const docker = (...words: string[]) => run(tsctl, '--root', root, ...words);
  const states = () =>
    Object.fromEntries(
      docker('ps', '-a', '--format', '{{.Names}} {{.State}}')
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
    );
  const pidOf = (name: string) => Number(docker('inspect', '-f', '{{.State.Pid}}', name));

  beforeAll(() => {
    if (!existsSync('/run/systemd/system')) throw new Error('needs systemd as process 1: to be run in the guest kernel with systemd');
    makeBusyboxImage(directory);
    writeFileSync(UNIT, docker('system', 'systemd-unit'));
    run('systemctl', 'daemon-reload');
    run('systemctl', 'enable', 'tsctl');
  }, PATIENCE_MS);
  afterAll(() => {
    spawnSync(tsctl, ['--root', root, 'rm', '-f', ...docker('ps', '-aq').trim().split('\n')]);
    for (const pid of shims()) process.kill(pid, 'SIGTERM');
    spawnSync('systemctl', ['disable', '--now', 'tsctl']);
    rmSync(UNIT, { force: true });
    rmSync(directory, { recursive: true, force: true });
  }, PATIENCE_MS);

  /** Of this data root. */
  function shims(): number[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return words.includes('serve') && words.some((word) => word.startsWith(`${directory}/`)) ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
  }

  /** All processes at once, and everything that lives in memory: mounts, /run, cgroups. */
  async function pullThePlug(names: readonly string[]): Promise<void> {
    const ids = names.map((name) => docker('inspect', '-f', '{{.Id}}', name).trim());
    const pids = [...shims(), ...names.map(pidOf)];
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    while (pids.some((pid) => existsSync(`/proc/${pid}/exe`))) await sleep(100);
    for (const id of docker('ps', '-aq', '--no-trunc').trim().split('\n'))
      spawnSync('umount', ['-l', join(root, 'snapshots/active', id, 'merged')]);
    rmSync('/run/tsrun-shim', { recursive: true, force: true });
    for (const id of ids) spawnSync('rmdir', [`/sys/fs/cgroup/tsctl/${id}`]);
  }

  it('starts at boot what should run, and nothing else', async () => {
    const start = (name: string, policy: string) =>
      docker('run', '-d', '--name', name, '--restart', policy, '--network', 'none', 'busybox', 'sleep', '100000');
    start('always', 'always');
    start('kept', 'unless-stopped');
    start('stopped', 'unless-stopped');
    start('never', 'no');
    docker('stop', '-t', '0', 'stopped');
    await pullThePlug(['always', 'kept', 'never']);
    expect(states()).toEqual({ always: 'exited', kept: 'exited', stopped: 'exited', never: 'exited' });

    run('systemctl', 'start', 'tsctl');
    expect(run('systemctl', 'show', '--value', '-p', 'SubState', 'tsctl').trim()).toBe('exited');
    expect(states()).toEqual({ always: 'running', kept: 'running', stopped: 'exited', never: 'exited' });
    expect(docker('exec', 'always', 'echo', 'alive')).toBe('alive\n');
  });

  it('leaves its containers alone when it is stopped, and when it is started again', () => {
    const before = ['always', 'kept'].map(pidOf);
    run('systemctl', 'restart', 'tsctl');
    expect(['always', 'kept'].map(pidOf)).toEqual(before);
    run('systemctl', 'stop', 'tsctl');
    expect(['always', 'kept'].map(pidOf)).toEqual(before);
    expect(shims()).toHaveLength(1);
  });
});
