/** The init process is killed or stopped from outside, at every moment that a test can meet. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HookName } from '../../specs/runtime/hooks.ts';
import { type Change, type Draft, onBothEngines } from './ground.ts';
import { recordOf } from './record.ts';

/** A hook in the namespaces of the runtime that sends init a signal. */
const signalling =
  (name: HookName, signal: string, then = ''): Change =>
  (config) => {
    const script = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); kill -${signal} $pid; ${then}`;
    config.hooks = { [name]: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/bin:/usr/bin'] }] };
  };

const sleeps = (config: Draft): void => {
  config.process.args = ['sleep', '1000'];
};

onBothEngines('an init process', (ground) => {
  it('that is killed while it is being prepared fails the create, which leaves nothing', () => {
    const message = ground().refused(signalling('createRuntime', 'KILL'));
    expect(message).toMatch(
      /create failed: unable to start container process: error during container init: the init process died while .+/,
    );
  });

  it('that is killed while it waits is a stopped container, which cannot be started and can be deleted', () => {
    const container = ground().create(sleeps);
    process.kill(container.pid, 'SIGKILL');
    ground().reap(container.pid);
    const { status, stderr } = ground().tsrun(['start', container.id]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('cannot start a container that has stopped') });
    expect(ground().tsrun(['delete', container.id])).toEqual({ status: 0, stderr: '' });
    ground().end(container);
  });

  it('that is killed while it waits, and is not reaped yet, is a stopped container, too', () => {
    const container = ground().create(sleeps);
    process.kill(container.pid, 'SIGKILL');
    while (!/^State:\s*Z/m.test(readFileSync(`/proc/${container.pid}/status`, 'utf8')));
    expect(ground().tsrun(['start', container.id])).toMatchObject({ status: 1 });
    expect(ground().tsrun(['delete', container.id])).toEqual({ status: 0, stderr: '' });
    ground().end(container);
  });

  it('that is stopped while it waits is started when it goes on', () => {
    const container = ground().create((config) => (config.process.args = ['sh', '-c', 'exit 7']));
    process.kill(container.pid, 'SIGSTOP');
    const start = ground().background(ground().command, '--root', ground().root, 'start', container.id);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    process.kill(container.pid, 'SIGCONT');
    ground().reap(start);
    ground().dismiss(start);
    expect(ground().end(container)).toBe(7);
  });

  it('that is stopped while it is being prepared can be deleted by force, and whoever creates it is told', () => {
    const mark = join(ground().directory, 'stopped');
    const log = join(ground().directory, 'log');
    const bundle = ground().bundle(signalling('createRuntime', 'STOP', `touch ${mark}`));
    const create = ground().background(ground().command, '--root', ground().root, '--log', log, 'create', '-b', bundle, 'c');
    while (!existsSync(mark));
    expect(ground().tsrun(['delete', '--force', 'c'])).toEqual({ status: 0, stderr: '' });
    ground().reap(create);
    ground().dismiss(create);
    expect(readFileSync(log, 'utf8')).toContain('the init process died while');
  });

  it('that nobody starts ends with its container, and not before', () => {
    const container = ground().create(sleeps);
    expect(recordOf(ground().root, container.id)).toMatchObject({ pid: container.pid });
    expect(ground().tsrun(['kill', container.id, 'KILL'])).toEqual({ status: 0, stderr: '' });
    expect(ground().end(container)).toBe(137);
  });
});
