import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../.scripts/jest/requirement.ts';
import { type Driver, describeBothRuntimes, type Engine, type RuntimeName, runtimePath } from './compare.ts';
import { Enclosure } from './enclosure.ts';
import { makeImage } from './image.ts';

/** In command lines: the options of `bud` and `run` that name the runtime. */
const RUNTIME_FLAGS = 'RUNTIME-FLAGS';

function startBuildah(runtime: RuntimeName): { readonly enclosure: Enclosure; readonly engine: Engine } {
  const enclosure = new Enclosure();
  makeImage(enclosure.directory);
  const places = ['--root', join(enclosure.directory, 'storage'), '--runroot', '/run/buildah', '--storage-driver', 'vfs'];
  const flags = ['--runtime', runtimePath(runtime), '--isolation', 'oci', '--network', 'none'];
  const engine: Engine = {
    command: (line) => ['buildah', ...places, ...line.flatMap((word) => (word === RUNTIME_FLAGS ? flags : [word]))],
  };
  return { enclosure, engine };
}

function scenarios(driver: () => Driver): void {
  let buildah: Driver;
  const build = (file: string) => {
    const { directory } = buildah.enclosure;
    const context = join(directory, 'context');
    mkdirSync(context, { recursive: true });
    writeFileSync(join(context, 'data'), 'some data\n');
    writeFileSync(join(directory, 'Dockerfile'), file);
    return buildah.look(['bud', RUNTIME_FLAGS, '--tag', 'built', '--file', join(directory, 'Dockerfile'), context]);
  };
  beforeEach(() => {
    buildah = driver();
  });

  it('from, add, run: output, user, exit status', () => {
    buildah.ok(['from', '--name', 'base', 'scratch']);
    buildah.quietly(['add', '--quiet', 'base', join(buildah.enclosure.directory, 'rootfs.tar'), '/']);
    expect(buildah.ok(['run', RUNTIME_FLAGS, 'base', '--', 'sh', '-c', 'echo hello; id -u'])).toBe('hello\n0');
    expect(buildah.ok(['run', RUNTIME_FLAGS, '--user', 'guest', 'base', '--', 'id', '-u'])).toBe('405');
    expect(buildah.run(['run', RUNTIME_FLAGS, 'base', '--', 'sh', '-c', 'exit 7']).status).toBe(7);
    expect(buildah.run(['run', RUNTIME_FLAGS, 'base', '--', 'nowhere']).status).not.toBe(0);
    expect(
      buildah.run(['run', RUNTIME_FLAGS, '--volume', `${buildah.enclosure.directory}:/mnt:ro`, 'base', '--', 'touch', '/mnt/f']).status,
    ).toBe(1);
    buildah.quietly(['commit', '--quiet', 'base', 'localhost/busybox']);
  });

  it('bud: RUN, COPY, USER, mounts, a command that fails', () => {
    const file = `FROM localhost/busybox
COPY data /data
RUN tr a-z A-Z </data >/copy
RUN --mount=type=bind,target=/ctx test -e /ctx/data && echo bound >>/copy
USER guest
RUN id -u >/tmp/user
`;
    expect(build(file)).toMatchObject({ status: 0 });
    buildah.ok(['from', '--name', 'second', '--pull-never', 'localhost/built']);
    expect(buildah.ok(['run', RUNTIME_FLAGS, 'second', '--', 'cat', '/copy', '/tmp/user'])).toBe('SOME DATA\nbound\n405');
    const failed = build('FROM localhost/busybox\nRUN exit 4\n');
    expect(failed).toMatchObject({ status: 4, stderr: expect.stringContaining('exit status 4') });
  });
}

describeBothRuntimes('buildah', [command('buildah')], startBuildah, scenarios);
