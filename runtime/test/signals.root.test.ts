/** Signals sent to `tsrun run` while the container is in the foreground. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SIGWINCH } from '../src/linux/processes.ts';
import { SIGNAL_NUMBERS, SIGPIPE, SIGURG } from '../src/linux/signals.ts';
import { Attached, until } from './attached.ts';
import { onBothEngines } from './ground.ts';

const { HUP, INT, QUIT, TERM, USR1, USR2, ALRM, TSTP, CONT, WINCH } = SIGNAL_NUMBERS as Readonly<Record<string, number>>;
const FORWARDED = { HUP, INT, QUIT, TERM, USR1, USR2, ALRM, TSTP };

const REPORT = `${Object.keys(FORWARDED)
  .map((name) => `trap "echo ${name}" ${name};`)
  .join(' ')} trap "echo WINCH" WINCH; trap "echo URG" URG; trap "echo PIPE" PIPE; trap "exit 4" CONT;`;

onBothEngines('signals', (ground) => {
  let attached: Attached | undefined;
  afterEach(() => {
    attached?.dispose();
    attached = undefined;
  });

  function reporter(): Attached {
    attached = Attached.sh(ground(), `${REPORT} echo ready; while :; do sleep 0.05; done`);
    attached.expect(/ready\n/);
    return attached;
  }

  it('reach the container', () => {
    const run = reporter();
    for (const [name, number] of Object.entries(FORWARDED)) {
      run.signal(number ?? 0);
      run.expect(new RegExp(`^${name}$`, 'm'));
    }
    run.signal(CONT ?? 0);
    expect(run.wait()).toBe(4);
    expect(run.errors()).toBe('');
  });

  it('reach it each, when many come at once', () => {
    const run = reporter();
    for (let round = 0; round < 20; round++) for (const number of [HUP, INT, USR1, USR2]) run.signal(number ?? 0);
    for (const name of ['HUP', 'INT', 'USR1', 'USR2']) run.expect(new RegExp(`^${name}$`, 'm'));
    run.signal(CONT ?? 0);
    expect(run.wait()).toBe(4);
  });

  it('do not reach it when they are the runtime’s own business', () => {
    const run = reporter();
    for (const number of [SIGPIPE, SIGURG, SIGWINCH, WINCH ?? 0]) run.signal(number);
    run.signal(USR1 ?? 0);
    run.expect(/^USR1$/m);
    expect(run.output).toBe('ready\nUSR1\n');
    run.signal(CONT ?? 0);
    expect(run.wait()).toBe(4);
  });

  it('end a container that does not handle them, without a pid namespace', () => {
    attached = Attached.sh(ground(), 'echo ready; exec sleep 1000', {}, (config) => {
      config.linux.namespaces = (config.linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
    });
    attached.expect(/ready/);
    attached.signal(TERM ?? 0);
    expect(attached.wait()).toBe(128 + 15);
  });

  it('wait for the container while it is created', () => {
    // Sent at a time when the runtime has long blocked them, and the container's program is not there yet.
    attached = Attached.sh(ground(), 'echo ready; exec sleep 1000', {}, (config) => {
      config.linux.namespaces = (config.linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
      config.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `touch ${ground().directory}/hook; sleep 0.5`] }] };
    });
    const run = attached;
    until(ground(), () => existsSync(join(ground().directory, 'hook')), 'the hook runs');
    run.signal(TERM ?? 0);
    expect(run.wait()).toBe(128 + 15);
  });

  it('that come when the container has ended do not change the exit status', () => {
    const hook = join(ground().directory, 'poststop');
    attached = Attached.sh(ground(), 'exit 5', {}, (config) => {
      config.hooks = { poststop: [{ path: '/bin/sh', args: ['sh', '-c', `touch ${hook}; sleep 0.3`] }] };
    });
    const run = attached;
    until(ground(), () => existsSync(hook), 'the hook runs');
    run.signal(TERM ?? 0);
    expect(run.wait()).toBe(5);
  });

  it('of the kernel’s own range are forwarded, too', () => {
    attached = Attached.sh(ground(), 'trap "echo real-time; exit 6" 40; echo ready; while :; do sleep 0.05; done');
    attached.expect(/ready/);
    attached.signal(40);
    attached.expect(/real-time/);
    expect(attached.wait()).toBe(6);
  });

  it('reach a process that exec stays with', () => {
    const container = ground().create((config) => {
      config.process.args = ['sleep', '1000'];
    });
    ground().start(container);
    attached = Attached.exec(ground(), container.id, [
      'sh',
      '-c',
      'trap "echo USR1" USR1; trap "exit 8" TERM; echo ready; while :; do sleep 0.05; done',
    ]);
    attached.expect(/ready/);
    attached.signal(USR1 ?? 0);
    attached.expect(/USR1/);
    attached.signal(TERM ?? 0);
    expect(attached.wait()).toBe(8);
    ground().end(container);
  });
});
