/** tsctl when something is wrong: a disk that is full, a record that a crash has emptied. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith } from '../../.scripts/jest/requirement.ts';
import { PATIENCE_MS, stageRequirements, TsctlStage } from './tsctl-stage.ts';

jest.setTimeout(PATIENCE_MS * 2);

describeWith(stageRequirements, 'tsctl in trouble', () => {
  let stage: TsctlStage;
  beforeAll(async () => {
    stage = await TsctlStage.open();
  }, PATIENCE_MS);
  afterAll(() => stage.close(), PATIENCE_MS);

  /** A data root of its own, on what is mounted at its place. */
  function another(name: string, ...mount: string[]) {
    const directory = join(stage.directory, name);
    stage.inside(['mkdir', directory]);
    expect(stage.inside(['mount', ...mount, directory]).code).toBe(0);
    const [program = ''] = stage.line();
    const image = join(stage.directory, 'image.tar');
    const tsctl = (...words: string[]) => stage.inside([program, '--root', join(directory, 'root'), ...words]);
    expect(tsctl('import', '-c', 'CMD ["sh"]', image, 'busybox')).toMatchObject({ code: 0 });
    return { directory, tsctl };
  }

  it('says that the disk is full, keeps what there is, and removes it', () => {
    const { directory, tsctl } = another('small', '-t', 'tmpfs', '-o', 'size=12m', 'tmpfs');
    expect(tsctl('run', '-d', '--name', 'first', '--network', 'none', 'busybox', 'sleep', '1000')).toMatchObject({ code: 0, stderr: '' });
    stage.inside(['dd', 'if=/dev/zero', `of=${directory}/filler`, 'bs=4k']);
    expect(tsctl('run', '--name', 'second', '--network', 'none', 'busybox', 'true')).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/no space left on device/i),
    });
    expect(tsctl('ps', '-a', '--format', '{{.Names}} {{.State}}').stdout).toBe('first running\n');
    expect(tsctl('rm', '-f', 'first')).toMatchObject({ code: 0, stdout: 'first\n' });
    expect(tsctl('ps', '-aq').stdout).toBe('');
    stage.inside(['rm', `${directory}/filler`]);
    expect(tsctl('run', '--rm', '--name', 'second', '--network', 'none', 'busybox', 'echo', 'again').stdout).toBe('again\n');
  });

  it('removes a container whose record is empty, and gives its name to another', () => {
    const id = stage.succeeds('create', '--name', 'broken', '--network', 'none', 'busybox').trim();
    stage.succeeds('create', '--name', 'whole', '--network', 'none', 'busybox');
    writeFileSync(join(stage.directory, 'root/containers', id, 'record.json'), '');
    expect(stage.succeeds('ps', '-a', '--format', '{{.Names}}')).toBe('whole\n');
    expect(stage.tsctl('rm', '-f', 'broken').code).toBe(0);
    stage.succeeds('create', '--name', 'broken', '--network', 'none', 'busybox');
    stage.succeeds('rm', 'broken', 'whole');
  });
});
