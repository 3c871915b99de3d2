/** `tsrun run`: create, start, wait and delete in one. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findHierarchy } from '../src/cgroups/hierarchy.ts';
import { call, tryCall } from '../src/linux/call.ts';
import { close, open, openDirectory } from '../src/linux/files.ts';
import { O_APPEND, O_TRUNC, O_WRONLY } from '../src/linux/open-flags.ts';
import { sleepMs } from '../src/linux/poll.ts';
import { listenUnix, receiveWithFds } from '../src/linux/sockets.ts';
import { terminalModes } from '../src/linux/terminal.ts';
import { Attached, drain, pipe, until } from './attached.ts';
import { type Change, type Ground, onBothEngines } from './ground.ts';

const MEGABYTE = 1024 * 1024;
const MNT_DETACH = 2;

const withoutPidNamespace: Change = (config) => {
  config.linux.namespaces = (config.linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
};

function childrenOf(pid: number): { readonly pid: number; readonly state: string; readonly name: string }[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map((word) => {
      const stat = readFileSync(`/proc/${Number(word)}/stat`, 'utf8');
      return {
        pid: Number(word),
        state: stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '',
        name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      };
    });
}

function cgroup(ground: Ground, id: string): string {
  return join(findHierarchy(ground.sys)?.mountPoint ?? '/none', id);
}

onBothEngines('run', (ground) => {
  let attached: Attached | undefined;
  afterEach(() => {
    attached?.dispose();
    attached = undefined;
  });

  function sh(script: string, change: Change = () => undefined, flags: readonly string[] = []): Attached {
    attached = Attached.sh(ground(), script, { flags }, change);
    return attached;
  }

  it.each([
    ['true', 0],
    ['exit 7', 7],
    ['kill -9 $$', 128 + 9],
    ['kill -11 $$', 128 + 11],
  ])('returns the status of %s', (script, status) => {
    const run = sh(script, withoutPidNamespace);
    expect(run.wait()).toBe(status);
    expect(existsSync(join(ground().root, run.id))).toBe(false);
    expect(run.errors()).toBe('');
  });

  it('passes standard streams on, up to the end of the input', () => {
    const run = sh('cat; echo end; echo error >&2');
    run.type('one\n');
    run.expect(/one/);
    run.endInput();
    run.expect(/end\n/);
    expect(run.wait()).toBe(0);
    expect(run.errors()).toBe('error\n');
  });

  it('loses nothing of a large output', () => {
    const run = sh('head -c 10485760 /dev/zero');
    expect(run.drain()).toEqual({ length: 10 * MEGABYTE, sum: 0 });
    expect(run.wait()).toBe(0);
  });

  it('is running from the start, and is seen by other commands', () => {
    const run = sh('echo ready; read line');
    run.expect(/ready/);
    const state = join(ground().directory, 'state.json');
    writeFileSync(state, '');
    const output = open(ground().sys, state, { flags: O_WRONLY | O_TRUNC });
    ground().tsrun(['state', run.id], { output });
    close(ground().sys, output);
    expect(JSON.parse(readFileSync(state, 'utf8'))).toMatchObject({ status: 'running', bundle: run.bundle });
    expect(readdirSync(join(ground().root, run.id)).sort()).toEqual(['config.json', 'state.jsonl']);
    run.endInput();
    expect(run.wait()).toBe(1);
  });

  it('leaves the container when it is to be kept', () => {
    const run = sh('exit 3', () => undefined, ['--keep']);
    expect(run.wait()).toBe(3);
    expect(existsSync(join(ground().root, run.id))).toBe(true);
    expect(ground().tsrun(['delete', run.id])).toEqual({ status: 0, stderr: '' });
  });

  it('returns at once when detached, and writes the pid', () => {
    const pidFile = join(ground().directory, 'detached.pid');
    const run = sh('exec sleep 1000', () => undefined, ['--detach', '--pid-file', pidFile]);
    expect([run.wait(), run.errors()]).toEqual([0, '']);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(`${pid} (`);
    expect(ground().tsrun(['delete', '--force', run.id])).toEqual({ status: 0, stderr: '' });
    ground().reap(pid);
  });

  it('writes no pid and leaves nothing when the program cannot be started', () => {
    const pidFile = join(ground().directory, 'none.pid');
    attached = Attached.run(ground(), (config) => (config.process.args = ['nothing-of-that-name']), { flags: ['--pid-file', pidFile] });
    expect(attached.wait()).toBe(1);
    expect(attached.errors()).toContain('executable file not found in $PATH');
    expect(existsSync(pidFile)).toBe(false);
    expect(existsSync(join(ground().root, attached.id))).toBe(false);
  });

  it('sends a pidfd of the init process', () => {
    const path = join(ground().directory, 'pidfd.sock');
    const { sys } = ground();
    const listener = listenUnix(sys, path, path);
    const run = sh('read line', () => undefined, ['--pidfd-socket', path]);
    const socket = call(sys, 'accept4', path, listener, null, null, 0);
    const { data, fds } = receiveWithFds(sys, socket, 100, path);
    expect(sys.decode(data)).toBe('standard');
    expect(readFileSync(`/proc/self/fdinfo/${fds[0]}`, 'utf8')).toMatch(/^NSpid:\t\d+\t?1?$/m);
    for (const fd of [...fds, socket, listener]) close(sys, fd);
    run.endInput();
    expect(run.wait()).toBe(1);
  });

  it('sends the terminal of a detached container over a socket with a long path', () => {
    const { sys } = ground();
    const deep = join(ground().directory, 'd'.repeat(80), 'e'.repeat(80));
    mkdirSync(deep, { recursive: true });
    const directory = openDirectory(sys, deep);
    const listener = listenUnix(sys, `/proc/self/fd/${directory}/s`, 's');
    const run = sh('tty; exec sleep 1000', (config) => (config.process.terminal = true), ['--detach', '--console-socket', join(deep, 's')]);
    const socket = call(sys, 'accept4', 's', listener, null, null, 0);
    const { data, fds } = receiveWithFds(sys, socket, 100, 's');
    expect(sys.decode(data)).toBe('/dev/ptmx');
    expect(terminalModes(sys, fds[0] ?? -1)).toBeDefined();
    expect(run.wait()).toBe(0);
    ground().tsrun(['delete', '--force', run.id]);
    for (const fd of [...fds, socket, listener, directory]) close(sys, fd);
    ground().reap();
  });

  it.each([
    [['--detach'], true, 'cannot allocate tty if tsrun will detach without setting console socket'],
    [['--console-socket', '/nowhere'], true, 'cannot use console socket if tsrun will not detach or allocate tty'],
    [['--detach', '--console-socket', '/nowhere'], false, 'cannot use console socket if tsrun will not detach or allocate tty'],
  ])('refuses %j with terminal %j', (flags, terminal, text) => {
    const run = sh('true', (config) => (config.process.terminal = terminal), flags);
    expect(run.wait()).toBe(1);
    expect(run.errors()).toContain(text);
  });

  it('adopts orphans, and reaps them', () => {
    const run = sh('(sleep 0.4 & sleep 0.2 &) ; (exec sleep 1000 &); echo ready; read line', withoutPidNamespace);
    run.expect(/ready/);
    until(ground(), () => childrenOf(run.pid).filter(({ name }) => name === 'sleep').length >= 1, 'orphans are adopted');
    until(ground(), () => childrenOf(run.pid).filter(({ name }) => name === 'sleep').length === 1, 'orphans are reaped');
    expect(childrenOf(run.pid).map(({ state }) => state)).not.toContain('Z');
    run.endInput();
    // The last one is killed with the container's cgroup.
    expect(run.wait()).toBe(1);
  });

  it('leaves orphans to others when it is told to', () => {
    const run = sh('(exec sleep 1000 &); echo ready; read line', withoutPidNamespace, ['--no-subreaper']);
    run.expect(/ready/);
    sleepMs(ground().sys, 100);
    expect(childrenOf(run.pid).map(({ name }) => name)).not.toContain('sleep');
    run.endInput();
    expect(run.wait()).toBe(1);
    ground().reap();
  });

  it('can be killed at any moment without leaving what delete --force cannot remove', () => {
    for (let round = 0; round < 15; round++) {
      const run = sh('exec sleep 1000');
      sleepMs(ground().sys, round * 6 + 1);
      run.signal(9);
      expect(run.wait()).toBe(128 + 9);
      const { status, stderr } = ground().tsrun(['delete', '--force', run.id]);
      expect({ status, stderr, round }).toEqual({ status: 0, stderr: '', round });
      expect(existsSync(cgroup(ground(), run.id))).toBe(false);
      expect(existsSync(join(ground().root, run.id))).toBe(false);
      ground().reap();
      run.dispose();
    }
    attached = undefined;
  });

  it('gives up on a full disk, and leaves nothing', () => {
    const { sys, root } = ground();
    mkdirSync(root, { recursive: true });
    call(sys, 'mount', root, 'tmpfs', root, 'tmpfs', 0, 'size=16k,mode=700');
    try {
      writeFileSync(join(root, 'fill'), Buffer.alloc(4096 * 3));
      const run = sh('true');
      expect(run.wait()).toBe(1);
      expect(run.errors()).toContain('no space left on device');
      expect(readdirSync(root)).toEqual(['fill']);
      expect(existsSync(cgroup(ground(), run.id))).toBe(false);
    } finally {
      tryCall(sys, 'umount2', root, MNT_DETACH);
    }
  });

  it('gives pipes to the user of the container, and nothing else', () => {
    const [reader, writer] = pipe(ground());
    attached = Attached.sh(ground(), 'echo again > /dev/stdout', { redirect: { stdout: writer } }, (config) => {
      config.process.user = { uid: 1000, gid: 1000 };
    });
    close(ground().sys, writer);
    expect(attached.wait()).toBe(0);
    expect(drain(ground(), reader).length).toBe('again\n'.length);
    close(ground().sys, reader);
    const file = join(ground().directory, 'owned-by-root');
    writeFileSync(file, '');
    const output = open(ground().sys, file, { flags: O_WRONLY | O_APPEND });
    const second = Attached.sh(ground(), 'echo to the file', { redirect: { stdout: output } }, (config) => {
      config.process.user = { uid: 1000, gid: 1000 };
    });
    expect(second.wait()).toBe(0);
    second.dispose();
    close(ground().sys, output);
    expect(statSync(file)).toMatchObject({ uid: 0, size: 'to the file\n'.length });
  });
});
