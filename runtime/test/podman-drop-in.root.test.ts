/** The drop-in for podman's configuration. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtCommand, command, describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { commandPath } from './cli.ts';

const DROP_IN = join(__dirname, '../integration/containers.conf.d/tsrun.conf');

describeWith([rootUser, command('podman'), builtCommand('tsrun')], 'the drop-in for podman', () => {
  it('makes tsrun its runtime', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tsrun-drop-in-'));
    try {
      const configuration = join(directory, 'tsrun.conf');
      writeFileSync(configuration, readFileSync(DROP_IN, 'utf8').replace('/usr/local/bin/tsrun', commandPath('tsrun')));
      const words = [
        '--root',
        join(directory, 'root'),
        '--runroot',
        join(directory, 'run'),
        '--storage-driver',
        'vfs',
        '--cgroup-manager',
        'cgroupfs',
      ];
      const format = '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}';
      const found = execFileSync('podman', [...words, 'info', '--format', format], {
        encoding: 'utf8',
        env: { ...process.env, CONTAINERS_CONF: configuration },
      });
      expect(found.trim()).toBe(`tsrun ${commandPath('tsrun')}`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
