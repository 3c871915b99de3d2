/** Archives that a real dockerd has written, and archives that it is to read. */

import { join } from 'node:path';
import { command, describeWith } from '../../../.scripts/jest/requirement.ts';
import { startDocker } from '../../../runtime/test/engines/docker.ts';
import type { Enclosure } from '../../../runtime/test/engines/enclosure.ts';
import { history } from './commands/history.ts';
import { inspect } from './commands/inspect.ts';
import { load } from './commands/load.ts';
import { mutate } from './commands/mutate.ts';
import { save } from './commands/save.ts';
import { commandRunner } from './testing.ts';

describeWith([command('dockerd'), command('docker'), command('runc')], 'archives of docker', () => {
  let enclosure: Enclosure;
  let docker: (...words: string[]) => string;
  beforeAll(() => {
    const started = startDocker('runc');
    enclosure = started.enclosure;
    docker = (...words) => {
      const { status, stdout, stderr } = enclosure.run(started.engine.command(words));
      if (status !== 0) throw new Error(`docker ${words.join(' ')}: ${stderr}`);
      return stdout.trim();
    };
  }, 180_000);
  afterAll(() => enclosure?.dispose());

  it('are loaded, changed, saved, and loaded by docker, with the same ids and layers all the way', async () => {
    const at = (name: string) => join(enclosure.directory, name);
    const run = commandRunner(at('store'));
    const idOf = async (name: string) => (JSON.parse((await run(inspect, name)).lines.join('\n')) as { id: string }[])[0]?.id;
    docker('save', '-o', at('theirs.tar'), 'busybox');
    await run(load, '-i', at('theirs.tar'));
    expect(await idOf('busybox')).toBe(docker('image', 'inspect', '--format', '{{.Id}}', 'busybox'));
    await run(mutate, '--cmd', 'sh', '-e', 'A=b', 'busybox', 'busybox:ours');
    await run(save, '-o', at('ours.tar'), 'busybox:ours');
    expect(docker('load', '-i', at('ours.tar'))).toBe('Loaded image: busybox:ours');
    expect(docker('image', 'inspect', '--format', '{{.Id}} {{.Config.Env}} {{.Config.Cmd}}', 'busybox:ours')).toBe(
      `${await idOf('busybox:ours')} [A=b] [sh]`,
    );
    const layers = (name: string) => docker('image', 'inspect', '--format', '{{.RootFS.Layers}}', name);
    expect(layers('busybox:ours')).toBe(layers('busybox'));
    expect((await run(history, '--json', 'busybox:ours')).lines.join('\n').match(/"createdBy"/g)).toHaveLength(2);
  });
});
