/** Calls that a seccomp agent decides: the listener gets there, for every command and whatever else the filter forbids. */
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith } from '../../.scripts/jest/requirement.ts';
import type { Seccomp } from '../../specs/runtime/linux/seccomp.ts';
import { ContainerProcessState } from '../../specs/runtime/state.ts';
import { validate } from '../../specs/schema/validate.ts';
import { shellStatus, waitForExit } from '../src/linux/processes.ts';
import { spawn } from '../src/linux/spawn.ts';
import { syscallNumber } from '../src/linux/syscall-numbers.ts';
import { defaultConfig } from '../src/spec/default-config.ts';
import { type Change, type Container, type Draft, onBothEngines } from './ground.ts';
import { type Delivery, SeccompAgent } from './seccomp-agent.ts';
import { libseccomp, seccompKernel } from './seccomp-profile.ts';
import { type TinyCall, writeTinyElf } from './tiny-elf.ts';

const USER = { uid: 54_321, gid: 54_322 };

describeWith([libseccomp, seccompKernel], 'seccomp', () => {
  onBothEngines('a seccomp agent', (ground) => {
    let agent: SeccompAgent;
    let count = 0;

    beforeEach(() => {
      agent = new SeccompAgent(ground().sys, join(ground().directory, `agent${++count}`));
    });
    afterEach(() => agent.dispose());

    const number = (name: Parameters<typeof syscallNumber>[1]): number => syscallNumber(ground().sys.arch, name);
    const install = (list: readonly TinyCall[], exit?: number) => (path: string) =>
      writeTinyElf(join(path, 'calls'), ground().sys.arch, list, exit);

    function asking(names: readonly string[], more: Partial<Seccomp> = {}, change: Change = () => undefined): Change {
      return (config) => {
        const profile: Seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          listenerPath: agent.path,
          ...more,
          syscalls: [{ names: [...names], action: 'SCMP_ACT_NOTIFY' }, ...(more.syscalls ?? [])],
        };
        config.linux.seccomp = profile as NonNullable<Draft['linux']['seccomp']>;
        config.process.args = ['/calls'];
        change(config);
      };
    }

    /** A command line that runs while the test is the agent. Returns the function that waits for its end. */
    function begin(words: readonly string[], user?: typeof USER): () => number {
      const { sys, command, root } = ground();
      const argv = [command, '--root', root, ...words];
      const become = user === undefined ? [] : ['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
      const all = [...become, ...argv];
      const path = user === undefined ? command : '/usr/bin/setpriv';
      const pid = spawn(sys, { path, argv: all, environ: ['PATH=/usr/bin:/bin'], fds: [0, 1, 2].map((fd) => [fd, fd] as const) });
      ground().adopt(pid);
      return () => {
        const exit = waitForExit(sys, pid);
        return exit === undefined ? -1 : shellStatus(exit);
      };
    }

    function check(text: string, expected: object): void {
      const state: unknown = JSON.parse(text);
      expect(validate(ContainerProcessState, structuredClone(state))).toMatchObject({ valid: true, warnings: [] });
      expect(state).toMatchObject({ ociVersion: '1.3.0', fds: ['seccompFd'], ...expected });
    }

    /** Creates a container while the test is the agent: the listener comes with create. */
    function create(change: Change, rootfs?: (path: string) => void): { readonly container: Container; readonly delivery: Delivery } {
      const bundle = ground().bundle(change, rootfs);
      const id = ground().id();
      const pidFile = join(ground().directory, `${id}.pid`);
      const created = begin(['create', '--bundle', bundle, '--pid-file', pidFile, id]);
      const delivery = agent.accept();
      expect(created()).toBe(0);
      const container = { id, bundle, pid: Number(readFileSync(pidFile, 'utf8')) };
      return { container, delivery };
    }

    it('gets the listener of a container that is created, before it waits to be started, and decides', () => {
      const change = asking(['getppid', 'execve'], { listenerMetadata: 'what it is' }, (config) => {
        config.annotations = { 'org.example.key': 'value' };
      });
      const { container, delivery } = create(change, install([['getppid']]));
      const { text, listener, ended } = delivery;
      check(text, {
        pid: container.pid,
        metadata: 'what it is',
        state: {
          id: container.id,
          status: 'creating',
          pid: container.pid,
          bundle: container.bundle,
          annotations: { 'org.example.key': 'value' },
        },
      });
      expect(ended).toBe(true);
      const started = begin(['start', container.id]);
      const execve = agent.next(listener);
      expect(execve).toMatchObject({ number: number('execve'), pid: container.pid });
      agent.letPass(listener, execve);
      expect(started()).toBe(0);
      const call = agent.next(listener);
      expect(call.number).toBe(number('getppid'));
      agent.deny(listener, call, 99);
      const exit = waitForExit(ground().sys, container.pid);
      expect(exit?.status).toBe(99);
      ground().end(container);
    });

    it('gets the listener at start where the filter forbids what init needs to wait', () => {
      const change = asking(['getppid', 'accept4']);
      const container = ground().create(change, { rootfs: install([['getppid']]) });
      expect(agent.isWanted).toBe(false);
      const started = begin(['start', container.id]);
      const { text, listener } = agent.accept();
      check(text, { pid: container.pid, state: { id: container.id, status: 'created', pid: container.pid } });
      expect(started()).toBe(0);
      agent.deny(listener, agent.next(listener), 99);
      expect(waitForExit(ground().sys, container.pid)?.status).toBe(99);
      ground().end(container);
    });

    it.each([[true], [false]])('works behind a filter that forbids everything but execve (noNewPrivileges: %s)', (noNewPrivileges) => {
      const strict: Partial<Seccomp> = {
        defaultAction: 'SCMP_ACT_KILL_PROCESS',
        flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
        syscalls: [{ names: ['execve', 'exit_group'], action: 'SCMP_ACT_ALLOW' }],
      };
      const change = asking(['getppid'], strict, (config) => {
        config.process.noNewPrivileges = noNewPrivileges;
        config.process.user = { uid: 1000, gid: 1000 };
        config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 3, hard: 3 }];
      });
      const bundle = ground().bundle(change, install([['getppid']]));
      const ended = begin(['run', '--bundle', bundle, ground().id()]);
      const { listener } = agent.accept();
      agent.deny(listener, agent.next(listener), 98);
      expect(ended()).toBe(98);
    });

    it('gets a listener for each executed process', () => {
      const change = asking(['getppid'], {}, (config) => {
        config.process.args = ['sleep', '1000'];
      });
      const { container } = create(change, install([['getppid']]));
      ground().start(container);
      const ended = begin(['exec', container.id, '/calls']);
      const { text, listener } = agent.accept();
      check(text, { state: { id: container.id, status: 'running', pid: container.pid } });
      const call = agent.next(listener);
      expect(JSON.parse(text).pid).toBe(call.pid);
      expect(call.pid).not.toBe(container.pid);
      agent.deny(listener, call, 97);
      expect(ended()).toBe(97);
      ground().end(container);
    });

    it('is not asked without a rule that notifies', () => {
      const change = asking([], {}, (config) => {
        if (config.linux.seccomp !== undefined) config.linux.seccomp.syscalls = [];
      });
      expect(ground().run(change, { rootfs: install([['getpid']], 3) }).status).toBe(3);
      expect(agent.isWanted).toBe(false);
    });

    it('that is not there is an error, in runc’s words, and nothing runs', () => {
      const path = join(ground().directory, 'nobody');
      const change = asking(['getppid'], { listenerPath: path });
      const words =
        /linux\.seccomp\.listenerPath: failed to connect with seccomp agent specified in the seccomp profile: connect .*: no such file or directory/;
      const bundle = ground().bundle(change, install([['getppid']]));
      expect(ground().tsrun(['run', '--bundle', bundle, ground().id()])).toEqual({ status: 1, stderr: expect.stringMatching(words) });
      expect(ground().refused(change, { rootfs: install([['getppid']]) })).toMatch(words);
    });

    it('that goes away leaves the container its errors', () => {
      const bundle = ground().bundle(asking(['getppid']), install([['getppid']]));
      const ended = begin(['run', '--bundle', bundle, ground().id()]);
      agent.accept();
      agent.dispose();
      agent = new SeccompAgent(ground().sys, `${agent.path}-again`);
      // ENOSYS, when nobody listens any more.
      expect(ended()).toBe(38);
    });

    it('leaves the process no descriptor and no thread', () => {
      const change = asking(['getppid'], {}, (config) => {
        config.process.args = ['sleep', '1000'];
      });
      const { container } = create(change);
      ground().start(container);
      expect(readdirSync(`/proc/${container.pid}/fd`).sort()).toEqual(['0', '1', '2']);
      expect(readdirSync(`/proc/${container.pid}/task`)).toEqual([String(container.pid)]);
      expect(readdirSync(`/proc/${container.pid}/task/${container.pid}/fd`)).toHaveLength(3);
      ground().end(container);
    });

    it('serves a user who is not root', () => {
      chmodSync(agent.path, 0o777);
      mkdirSync(ground().root, { mode: 0o700, recursive: true });
      chownSync(ground().root, USER.uid, USER.gid);
      const change = asking(['getppid'], {}, (config) => {
        const { seccomp } = config.linux;
        const fresh = structuredClone(defaultConfig({ rootless: USER })) as Draft;
        Object.assign(config, fresh, { root: { path: 'rootfs' } });
        config.process = { ...fresh.process, terminal: false, args: ['/calls'] };
        if (seccomp !== undefined) config.linux.seccomp = seccomp;
      });
      const bundle = ground().bundle(change, install([['getppid']]));
      const ended = begin(['run', '--bundle', bundle, ground().id()], USER);
      const { text, listener } = agent.accept();
      const call = agent.next(listener);
      check(text, { pid: call.pid });
      agent.deny(listener, call, 96);
      expect(ended()).toBe(96);
    });
  });
});
