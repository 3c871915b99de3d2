/** What checkpoint and restore say where they cannot: without a CRIU, with one that fails, and for containers that are not what they must be. */
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupOfProcess, findHierarchy } from '../src/cgroups/hierarchy.ts';
import { type Container, onBothEngines } from './ground.ts';

onBothEngines('checkpoint and restore refuse', (ground) => {
  const running = (): Container => {
    const container = ground().create((config) => {
      config.process.args = ['sleep', '1000'];
    });
    ground().start(container);
    return container;
  };

  const refused = (words: readonly string[], env: NodeJS.ProcessEnv = {}): string => {
    const { status, stderr } = ground().tsrun(words, { env });
    expect(status).toBe(1);
    return stderr;
  };

  /** A folder for PATH with a `criu` of ours. */
  const withCriu = (script: string): NodeJS.ProcessEnv => {
    const folder = join(ground().directory, `criu-${script.length}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'criu'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'criu'), 0o755);
    return { PATH: folder };
  };

  it('a container that does not run', () => {
    const container = ground().create((config) => {
      config.process.args = ['true'];
    });
    const words = ['checkpoint', '--image-path', join(ground().directory, 'none'), container.id];
    expect(refused(words)).toContain('container cannot be checkpointed in created state');
    expect(existsSync(join(ground().directory, 'none'))).toBe(false);
    ground().end(container);
    expect(refused(words)).toContain('container does not exist');
  });

  it('when CRIU ends without a word, and the container goes on', () => {
    const container = running();
    const env = withCriu('exit 3');
    const errs = withCriu('echo "Error (criu/x.c:1): no such kernel" >&2; exit 3');
    const images = join(ground().directory, 'images');
    expect(refused(['checkpoint', '--image-path', images, container.id], env)).toContain(
      'criu failed: type DUMP errno 0: criu ended without an answer',
    );
    expect(refused(['checkpoint', '--image-path', images, container.id], errs)).toContain('criu failed: type DUMP errno 0: no such kernel');
    expect(refused(['restore', '-d', '--image-path', images, '-b', container.bundle, ground().id()], env)).toContain(
      'tsrun restore failed: criu failed: type RESTORE errno 0: criu ended without an answer',
    );
    expect(ground().tsrun(['exec', container.id, 'true'])).toEqual({ status: 0, stderr: '' });
    ground().end(container);
    ground().reap();
  });

  it('to wait for a CRIU that does nothing: it is killed, and the container goes on', () => {
    const container = running();
    const hierarchy = findHierarchy(ground().sys)?.mountPoint ?? '';
    const cgroup = `${hierarchy}${cgroupOfProcess(ground().sys, container.pid)}`;
    const env = withCriu(`echo 1 > ${cgroup}/cgroup.freeze; exec /bin/sleep 1000`);
    const images = join(ground().directory, 'silent');
    const silent = ': criu has done nothing for 1 s, and was killed';
    expect(refused(['checkpoint', '--timeout', '1', '--image-path', images, container.id], env)).toContain(
      `criu failed: type DUMP${silent}`,
    );
    expect(ground().tsrun(['exec', container.id, 'true'])).toEqual({ status: 0, stderr: '' });
    const words = ['restore', '-d', '--timeout', '1', '--image-path', images, '-b', container.bundle, ground().id()];
    expect(refused(words, withCriu('exec /bin/sleep 1001'))).toContain(`criu failed: type RESTORE${silent}`);
    expect(refused(['checkpoint', '--timeout', '0', container.id])).toContain('invalid value "0" for flag --timeout');
    ground().end(container);
    ground().reap();
  });

  it('what makes no sense, before CRIU is asked', () => {
    const container = running();
    const images = join(ground().directory, 'other');
    const env = withCriu('exit 4');
    const say = (...flags: string[]): string => refused(['checkpoint', '--image-path', images, ...flags, container.id], env);
    expect(say('--parent-path', '/abs')).toContain('--parent-path /abs must be relative to the image directory');
    expect(say('--parent-path', '../nowhere')).toContain('--parent-path: no such file or directory');
    expect(say('--status-fd', '77')).toContain('invalid --status-fd argument 77: bad file descriptor');
    expect(say('--manage-cgroups-mode', 'hard')).toContain('one of ignore, soft, full, strict');
    expect(say('--empty-ns', 'pid')).toContain('only network can be left out');
    expect(say('--page-server', 'somewhere')).toContain('use --page-server ADDRESS:PORT');
    expect(refused(['restore', '--image-path', images, '-b', container.bundle, container.id], env)).toContain('already exists');
    ground().end(container);
  });

  it('an image that is not there, and leaves nothing', () => {
    const bundle = ground().bundle();
    const id = ground().id();
    const words = ['restore', '-d', '--image-path', join(ground().directory, 'missing'), '-b', bundle, id];
    expect(refused(words, withCriu('read x; exit 5'))).toContain('no such file or directory');
    expect(existsSync(ground().root) ? readdirSync(ground().root) : []).toEqual([]);
    ground().reap();
  });
});
