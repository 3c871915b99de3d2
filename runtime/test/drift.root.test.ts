/** `plan --diff`: what became of a container since its configuration was written. */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Difference } from '../src/operations/drift/difference.ts';
import { describeBothEngines } from './cli.ts';

describeBothEngines('plan --diff', (cli) => {
  const differences = (id: string): Difference[] => JSON.parse(cli().run(['plan', '--diff', id, '--format', 'json']).stdout);
  const inside = (pid: number, ...words: string[]): void => {
    execFileSync('nsenter', ['--target', String(pid), ...words]);
  };

  function start(): { readonly id: string; readonly pid: number } {
    const id = cli().start((config) => {
      if (config.linux === undefined) return;
      config.linux.sysctl = { 'kernel.msgmax': '4096' };
    });
    return { id, pid: cli().state(id).pid };
  }

  it('finds none where there is none', () => {
    const { id } = start();
    expect(cli().run(['plan', '--diff', id])).toMatchObject({ status: 0, stdout: 'The container is as its configuration says.\n' });
    expect(differences(id)).toEqual([]);
  });

  it('finds limits, names, sysctls, mounts and devices that have changed, each with its place', () => {
    const { id, pid } = start();
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=100:200']);
    inside(pid, '--uts', 'hostname', 'changed');
    inside(pid, '--ipc', 'sysctl', '-qw', 'kernel.msgmax=5000');
    // The root as the host sees it: there is no mount(8) in it.
    const root = `/proc/${pid}/root`;
    inside(pid, '--pid', '--mount', '--root', '/bin/busybox', 'umount', '/dev/mqueue');
    inside(pid, '--pid', '--mount', '--root', '/bin/busybox', 'mount', '-t', 'tmpfs', 'stranger', '/tmp');
    inside(pid, '--pid', '--mount', '--root', '/bin/busybox', 'mount', '-o', 'remount,bind,exec', '/dev/shm');
    renameSync(`${root}/dev/null`, `${root}/dev/former-null`);
    writeFileSync(`${root}/dev/null`, '');
    const found = differences(id);
    cli().note(JSON.stringify(found));
    expect(found.map(({ aspect, object, configPath, actual }) => [aspect, object, configPath, actual])).toEqual(
      expect.arrayContaining([
        ['limit', 'RLIMIT_NOFILE', 'process.rlimits[0]', 'soft=100, hard=200'],
        ['name', 'hostname', 'hostname', 'changed'],
        ['sysctl', 'kernel/msgmax', 'linux.sysctl["kernel.msgmax"]', '5000'],
        ['mount', '/dev/mqueue', expect.stringMatching(/^mounts\[\d]$/), 'nothing is mounted there'],
        ['mount', '/tmp', undefined, 'tmpfs (stranger)'],
        ['mount', '/dev/shm', expect.stringMatching(/^mounts\[\d]$/), 'exec'],
        ['device', '/dev/null', undefined, 'no device'],
      ]),
    );
    expect(found).toHaveLength(7);
    const { status, stdout } = cli().run(['plan', '--diff', id]);
    expect([status, stdout]).toEqual([
      1,
      expect.stringContaining('name hostname                             hostname\n  - tsrun\n  + changed\n'),
    ]);
  });

  it('finds a source that was replaced under a bind mount', () => {
    const file = join(cli().directory, 'file');
    writeFileSync(file, 'old');
    const id = cli().start((config) => {
      config.mounts?.push({ destination: '/file', type: 'bind', source: file, options: ['bind', 'ro'] });
    });
    writeFileSync(`${file}.new`, 'new');
    renameSync(`${file}.new`, file);
    expect(differences(id)).toMatchObject([
      { aspect: 'mount', object: '/file', actual: expect.stringContaining('the source was replaced') },
    ]);
  });

  it('is for running containers', () => {
    const id = cli().id();
    cli().create(id, cli().bundle());
    expect(cli().run(['plan', '--diff', id])).toMatchObject({ status: 1, stderr: expect.stringContaining('start it first') });
    expect(cli().run(['plan', '--diff', 'nobody'])).toMatchObject({ status: 1, stderr: expect.stringContaining('does not exist') });
    expect(cli().run(['plan', '--diff', id, '/bundle'])).toMatchObject({ status: 1, stderr: expect.stringContaining('not a bundle') });
  });

  it('finds another scheduler, other ids, and other device rules', () => {
    const id = cli().start((config) => {
      if (config.process !== undefined) config.process.scheduler = { policy: 'SCHED_BATCH', nice: 5 };
      if (config.linux !== undefined) config.linux.resources = { devices: [{ allow: false, access: 'rwm' }] };
    });
    expect(differences(id)).toEqual([]);
    const { pid } = cli().state(id);
    execFileSync('chrt', ['--other', '--pid', '0', String(pid)]);
    const path = join(cli().root, id, 'config.json');
    const text = readFileSync(path, 'utf8');
    const changed = text
      .replace(/"uid":\s*0/, '"uid": 7')
      .replace(/"access":\s*"rwm"/, '"access": "rwm" }, { "allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw"');
    writeFileSync(path, changed);
    const found = differences(id).filter(({ object }) => !object.endsWith('capabilities'));
    cli().note(JSON.stringify(found));
    expect(found.map(({ object, configPath, expected, actual }) => [object, configPath, expected, actual])).toEqual([
      ['device rules', 'linux.resources.devices', 'a BPF program that refuses what is not allowed', 'one with other rules'],
      ['uid', 'process.user.uid', '7', '0'],
      ['scheduler', 'process.scheduler', 'batch nice=5', 'other nice=5'],
    ]);
    writeFileSync(path, text);
  });
});
