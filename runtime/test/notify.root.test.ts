/** sd_notify(3) from a container to whoever started the runtime. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../src/linux/call.ts';
import { close } from '../src/linux/files.ts';
import { POLLIN, poll, sleepMs } from '../src/linux/poll.ts';
import { waitForExit } from '../src/linux/processes.ts';
import { bindDatagram, connectDatagram, receiveWithFds, sendWithFds } from '../src/linux/sockets.ts';
import { spawn } from '../src/linux/spawn.ts';
import { Attached, pipe } from './attached.ts';
import { type Change, onBothEngines } from './ground.ts';
import { recordOf } from './record.ts';

const WAIT_MS = 10_000;

onBothEngines('notifications', (ground) => {
  let attached: Attached | undefined;
  let host: number;
  let path: string;
  let count = 0;

  beforeEach(() => {
    path = join(ground().directory, `notify${++count}`);
    host = bindDatagram(ground().sys, path, path);
  });
  afterEach(() => {
    close(ground().sys, host);
    attached?.dispose();
    attached = undefined;
  });

  /** What the service manager hears next; its barrier is lifted. Undefined when it hears nothing for a while. */
  function hear(milliseconds = WAIT_MS): string | undefined {
    if (poll(ground().sys, [{ fd: host, events: POLLIN }], milliseconds)[0] === 0) return undefined;
    const { data, fds } = receiveWithFds(ground().sys, host, 4096, path);
    for (const fd of fds) close(ground().sys, fd);
    return ground().sys.decode(data);
  }

  /** Says something through the socket that the container sees. */
  function say(pid: number, text: string, fds: readonly number[] = []): void {
    const { sys } = ground();
    const socket = connectDatagram(sys, `/proc/${pid}/root/run/notify/notify.sock`, 'notify');
    if (fds.length > 0) sendWithFds(sys, socket, sys.encode(text), fds, 'notify');
    else call(sys, 'write', 'notify', socket, sys.encode(text), sys.encode(text).byteLength);
    close(sys, socket);
  }

  function initOf(id: string): number {
    return recordOf(ground().root, id).pid;
  }

  const script = 'echo "$NOTIFY_SOCKET"; read line';

  it('come from a container in the foreground, with the runtime as main process', () => {
    const run = Attached.sh(ground(), script, { environ: [`NOTIFY_SOCKET=${path}`] });
    attached = run;
    run.expect(/^\/run\/notify\/notify.sock\n/);
    const pid = initOf(run.id);
    say(pid, 'STATUS=warming up\nMAINPID=1\n');
    expect(hear()).toBe('STATUS=warming up\n');
    say(pid, 'READY=1');
    expect(hear()).toBe(`READY=1\nMAINPID=${run.pid}\n`);
    say(pid, 'WATCHDOG=1\n');
    expect(hear()).toBe('WATCHDOG=1\n');
    run.endInput();
    expect(run.wait()).toBe(1);
    expect(hear(0)).toBeUndefined();
  });

  it('do not let a barrier of the container wait for ever', () => {
    const run = Attached.sh(ground(), script, { environ: [`NOTIFY_SOCKET=${path}`] });
    attached = run;
    run.expect(/\n/);
    const [reader, writer] = pipe(ground());
    say(initOf(run.id), 'BARRIER=1', [writer]);
    close(ground().sys, writer);
    // The other end is closed: nobody has the descriptor any more.
    expect(poll(ground().sys, [{ fd: reader, events: POLLIN }], WAIT_MS)[0]).not.toBe(0);
    close(ground().sys, reader);
    expect(hear(50)).toBeUndefined();
    run.endInput();
    run.wait();
  });

  it('make a detached run wait until the container is ready', () => {
    const run = Attached.sh(ground(), 'echo up; exec sleep 1000', { environ: [`NOTIFY_SOCKET=${path}`], flags: ['--detach'] });
    attached = run;
    run.expect(/up/);
    sleepMs(ground().sys, 50);
    const pid = initOf(run.id);
    say(pid, 'READY=1\n');
    expect(hear()).toBe(`READY=1\nMAINPID=${pid}\n`);
    expect(hear()).toBe('BARRIER=1');
    expect(run.wait()).toBe(0);
    ground().tsrun(['delete', '--force', run.id]);
    ground().reap(pid);
  });

  it.each<[string, Change]>([
    ['a container', () => undefined],
    [
      'a container with a user namespace and a read-only root',
      (config) => {
        config.root = { path: 'rootfs', readonly: true };
        config.linux.namespaces?.push({ type: 'user' });
        config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
        config.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
        config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs' && type !== 'cgroup');
      },
    ],
  ])('make the start of %s wait until it is ready, and let others act on it', (_, change) => {
    const { sys } = ground();
    const env = { NOTIFY_SOCKET: path };
    const container = ground().create(
      (config) => {
        config.process.args = ['sh', '-c', 'exec sleep 1000'];
        change(config);
      },
      {
        env,
        rootfs: (tree) => {
          for (const name of ['run', 'run/notify']) mkdirSync(join(tree, name));
        },
      },
    );
    const pid = spawn(sys, {
      path: ground().command,
      argv: ['tsrun', '--root', ground().root, 'start', container.id],
      environ: [`NOTIFY_SOCKET=${path}`],
      fds: [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    });
    ground().adopt(pid);
    sleepMs(sys, 300);
    expect(ground().tsrun(['pause', container.id])).toEqual({ status: 0, stderr: '' });
    expect(ground().tsrun(['resume', container.id])).toEqual({ status: 0, stderr: '' });
    say(container.pid, 'READY=1\n');
    expect(hear()).toBe(`READY=1\nMAINPID=${container.pid}\n`);
    expect(hear()).toBe('BARRIER=1');
    expect(waitForExit(sys, pid)).toMatchObject({ status: 0, signaled: false });
    ground().end(container);
  });

  it('are not waited for when the container ends', () => {
    const run = Attached.sh(ground(), 'exit 3', { environ: [`NOTIFY_SOCKET=${path}`], flags: ['--detach'] });
    attached = run;
    expect(run.wait()).toBe(0);
    expect(hear(0)).toBeUndefined();
    ground().tsrun(['delete', run.id]);
    ground().reap();
  });

  it('go to an abstract socket as well', () => {
    const { sys } = ground();
    const name = `tsrun-test-${process.pid}-${count}`;
    const socket = call(sys, 'socket', name, 1, 2, 0);
    const address = new Uint8Array(3 + name.length);
    address[0] = 1;
    address.set(new Uint8Array(sys.encode(name)), 3);
    call(sys, 'bind', name, socket, address.buffer, address.length);
    close(sys, host);
    host = socket;
    const run = Attached.sh(ground(), script, { environ: [`NOTIFY_SOCKET=@${name}`] });
    attached = run;
    run.expect(/\n/);
    say(initOf(run.id), 'READY=1');
    expect(hear()).toBe(`READY=1\nMAINPID=${run.pid}\n`);
    run.endInput();
    run.wait();
  });

  it('that nobody listens to are a warning', () => {
    const run = Attached.sh(ground(), script, { environ: ['NOTIFY_SOCKET=/no/such/socket'] });
    attached = run;
    run.expect(/\n/);
    run.endInput();
    expect(run.wait()).toBe(1);
    expect(run.errors()).toContain('cannot pass on notifications: connect NOTIFY_SOCKET /no/such/socket: no such file or directory');
  });
});
