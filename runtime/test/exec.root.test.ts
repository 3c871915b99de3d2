import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, symlinkSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { describeWith, itWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { freeze, thaw } from '../src/cgroups/freezer.ts';
import { killAndReap, pidfdOpen, processStat } from '../src/linux/processes.ts';
import { receiveWithFds, socketPair } from '../src/linux/sockets.ts';
import { enterContainer } from '../src/operations/assemble/enter.ts';
import { type ExecOptions, startExec } from '../src/operations/exec.ts';
import { checkProcess } from '../src/spec/load.ts';
import { busybox, type Change, captured, Fixture, USER_NAMESPACE, WRITABLE } from './exec-fixture.ts';

const CAP_SYS_RESOURCE = 24n;
const permitted = BigInt(`0x${/^CapPrm:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`);
/** Some sandboxes withhold it from root. */
const sysResource = { what: 'CAP_SYS_RESOURCE', met: ((permitted >> CAP_SYS_RESOURCE) & 1n) === 1n };

/** Of this test process, whoever started them: the suite that ran before in it, its transformer, orphans that it was given. */
const childrenOfThisProcess = (): string[] => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');

const twoCpus = { what: 'two CPUs', met: cpus().length > 1 };

describeWith([rootUser, busybox], 'exec', () => {
  let fixture: Fixture;
  beforeEach(() => {
    fixture = new Fixture();
  });
  afterEach(() => fixture.dispose());

  type Options = Omit<ExecOptions, 'id'>;

  /** Output of a process, and its exit status when it is not 0. */
  const output = (id: string, options: Options): string =>
    captured((fd) => {
      const nothing = openSync('/dev/null', 'r');
      const pid = startExec(fixture.context([nothing, fd, fd]), { id, ...options });
      closeSync(nothing);
      const status = fixture.wait(pid);
      if (status !== 0) throw new Error(`exit status ${status}`);
    }).trim();

  const shell = (id: string, script: string, options: Options = {}): string => output(id, { ...options, args: ['sh', '-c', script] });

  it('is in the namespaces of the container, and in its root', () => {
    const { id, pid } = fixture.run();
    const names = ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'];
    const seen = shell(
      id,
      `for ns in ${names.join(' ')}; do readlink /proc/self/ns/$ns; done; hostname; cat /proc/1/cmdline | tr '\\0' ' '`,
    );
    expect(seen.split('\n')).toEqual([...names.map((name) => readlinkSync(`/proc/${pid}/ns/${name}`)), 'tsrun', 'sleep 1000']);
  });

  it('is in the cgroup of the container', () => {
    const { id, pid } = fixture.run();
    const child = startExec(fixture.context(), { id, args: ['sleep', '1000'] });
    expect(readFileSync(`/proc/${child}/cgroup`, 'utf8')).toBe(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    killAndReap(fixture.sys, child);
  });

  it('is the process of the container with changes', () => {
    const { id } = fixture.run();
    const seen = shell(id, 'id -u; id -g; id -G; pwd; env', {
      cwd: '/tmp',
      env: ['ADDED=1', 'FROM=exec'],
      user: { uid: 1000, gid: 1001 },
      additionalGids: [7],
    }).split('\n');
    expect(seen.slice(0, 4)).toEqual(['1000', '1001', '1001 7', '/tmp']);
    expect(seen).toEqual(expect.arrayContaining(['ADDED=1', 'FROM=exec', 'HOME=/home/user', 'PATH=/bin']));
  });

  it('is the process of a document, completed by what the container restricts', () => {
    const { id } = fixture.run();
    const { process } = checkProcess({
      cwd: '/data',
      args: ['sh', '-c', 'pwd; env | grep -c FROM; grep CapBnd /proc/self/status; grep "open files" /proc/self/limits'],
    });
    const seen = captured((fd) => fixture.wait(startExec(fixture.context([0, fd, fd]), { id, process }))).trim();
    expect(seen.replace(/ +/g, ' ')).toBe('/data\n0\nCapBnd:\t0000000020000420\nMax open files 1024 1024 files');
  });

  it('reports the exit status', () => {
    const { id } = fixture.run();
    const pid = startExec(fixture.context(), { id, args: ['sh', '-c', 'exit 42'] });
    expect(fixture.wait(pid)).toBe(42);
  });

  it('writes the pid file when the process runs, and only then', () => {
    const { id } = fixture.run();
    const pidFile = join(fixture.directory, 'pid');
    expect(() => startExec(fixture.context(), { id, args: ['/missing'], pidFile })).toThrow(
      'exec: "/missing": stat /missing: no such file or directory',
    );
    expect(existsSync(pidFile)).toBe(false);
    const pid = startExec(fixture.context(), { id, args: ['sleep', '1000'], pidFile });
    expect(readFileSync(pidFile, 'utf8')).toBe(String(pid));
    killAndReap(fixture.sys, pid);
  });

  it('leaves no process behind when it fails', () => {
    const { id } = fixture.run();
    const before = childrenOfThisProcess();
    expect(() => startExec(fixture.context(), { id, args: ['nothing-such'] })).toThrow(
      'exec: "nothing-such": executable file not found in $PATH',
    );
    expect(() => startExec(fixture.context(), { id, args: ['true'], cwd: '/not/there' })).toThrow(
      'enter the working directory: chdir /not/there: no such file or directory',
    );
    expect(childrenOfThisProcess().filter((child) => !before.includes(child))).toEqual([]);
  });

  it('adds capabilities to the bounding, effective and permitted sets, never to the inheritable one (CVE-2022-29162)', () => {
    const { id } = fixture.run();
    const sets = shell(id, 'grep ^Cap /proc/self/status', { capabilities: ['NET_ADMIN', 'cap_sys_chroot'] });
    expect(sets.split('\n')).toEqual([
      'CapInh:\t0000000000000000',
      'CapPrm:\t0000000020041420',
      'CapEff:\t0000000020041420',
      'CapBnd:\t0000000020041420',
      'CapAmb:\t0000000000000000',
    ]);
    expect(() => startExec(fixture.context(), { id, args: ['true'], capabilities: ['CAP_NOTHING'] })).toThrow(
      'unknown capability "CAP_NOTHING"',
    );
  });

  it('sets no_new_privs as told, and otherwise as the container', () => {
    const { id } = fixture.run();
    expect(shell(id, 'grep NoNewPrivs /proc/self/status')).toBe('NoNewPrivs:\t1');
    expect(shell(id, 'grep NoNewPrivs /proc/self/status', { noNewPrivileges: false })).toBe('NoNewPrivs:\t0');
  });

  it('works in a container that is created and not started', () => {
    const { id } = fixture.create();
    expect(shell(id, 'hostname')).toBe('tsrun');
  });

  it('works in a user namespace, as its root and as others', () => {
    const { id, pid } = fixture.run(USER_NAMESPACE);
    expect(shell(id, 'readlink /proc/self/ns/user; id -u; grep CapEff /proc/self/status').split('\n')).toEqual([
      readlinkSync(`/proc/${pid}/ns/user`),
      '0',
      'CapEff:\t0000000020000420',
    ]);
    expect(shell(id, 'id -u; cat /proc/self/uid_map', { user: { uid: 5 } }).replace(/ +/g, ' ')).toBe('5\n 0 100000 65536');
  });

  itWith([sysResource], 'raises limits in a user namespace, where only the host can', () => {
    const limits = Number(readFileSync('/proc/self/limits', 'utf8').match(/^Max locked memory +\S+ +(\d+)/m)?.[1] ?? 0);
    const { id, pid } = fixture.run((config) => {
      USER_NAMESPACE(config);
      config.process?.rlimits?.push({ type: 'RLIMIT_MEMLOCK', soft: limits + 4096, hard: limits + 8192 } as never);
    });
    const expected = new RegExp(`^Max locked memory +${limits + 4096} +${limits + 8192} `, 'm');
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(expected);
    expect(shell(id, 'cat /proc/self/limits')).toMatch(expected);
  });

  it('works in a created container with a user namespace', () => {
    const { id } = fixture.create(USER_NAMESPACE);
    expect(shell(id, 'id -u')).toBe('0');
  });

  it('enters the root of a container without a mount namespace', () => {
    const { id } = fixture.run((config) => {
      config.mounts = [];
      config.linux = { ...config.linux, namespaces: [{ type: 'pid' }], maskedPaths: [], readonlyPaths: [] };
      delete config.hostname;
      config.root = { path: 'rootfs' };
    });
    expect(shell(id, 'ls /').split('\n')).toEqual(['bin', 'data', 'dev', 'etc', 'proc', 'sys', 'tmp']);
  });

  it('joins a time namespace', () => {
    const { id, pid } = fixture.run((config) => {
      config.linux?.namespaces?.push({ type: 'time' });
      config.linux = { ...config.linux, timeOffsets: { boottime: { secs: 1_000_000_000, nanosecs: 0 } } };
    });
    expect(shell(id, 'readlink /proc/self/ns/time')).toBe(readlinkSync(`/proc/${pid}/ns/time`));
    expect(Number(shell(id, 'cut -d. -f1 /proc/uptime', {}))).toBeGreaterThan(1_000_000_000);
  });

  it('joins the session keyring of the container', () => {
    const { id, pid } = fixture.run((config) => {
      config.linux = { ...config.linux, maskedPaths: [] };
    });
    // The container's process holds the keyring, and everything that joins it by its name has the same one.
    const serials = shell(id, `grep _ses.${id}: /proc/keys | cut -d" " -f1`).split('\n');
    expect(serials).toHaveLength(1);
    expect(shell(id, `grep _ses.${id}: /proc/keys | cut -d" " -f1`).split('\n')).toEqual(serials);
    expect(processStat(fixture.sys, pid)?.state).toBe('S');
  });

  it('passes on exactly the descriptors it is told to (CVE-2016-9962, CVE-2024-21626)', () => {
    const { id } = fixture.run();
    const extra = openSync('/etc/hostname', 'r');
    const host = openSync('/', 'r');
    const seen = captured((fd) => {
      const context = fixture.context([extra, fd, fd], [extra]);
      fixture.wait(startExec(context, { id, args: ['sh', '-c', 'cd /proc/self/fd; for fd in *; do readlink $fd; done | sort -u'] }));
    });
    for (const fd of [extra, host]) closeSync(fd);
    const lines = seen
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('pipe:') && !/^\/proc\/\d+\/fd$/.test(line));
    expect(lines.every((line) => line === '/etc/hostname' || line.includes('tsrun-out-'))).toBe(true);
  });

  it('does not let a working directory lead to the host (CVE-2024-21626)', () => {
    const container = fixture.run(WRITABLE);
    const entered: string[] = [];
    for (let fd = 3; fd < 20; fd++) {
      symlinkSync(`/proc/self/fd/${fd}`, fixture.rootfs(container, `data/${fd}`));
      for (const cwd of [`/proc/self/fd/${fd}`, `/data/${fd}`, `/proc/self/fd/${fd}/../..`]) {
        try {
          entered.push(shell(container.id, 'ls | tr "\\n" " "', { cwd }));
        } catch {
          // It cannot be entered, which is as well.
        }
      }
    }
    // What can be entered is the container's own root.
    for (const seen of entered) expect(seen).toBe('bin data dev etc proc sys tmp');
  });

  it('cannot be looked into from inside before it executes (CVE-2016-9962)', () => {
    const { id, pid } = fixture.run();
    const record = fixture.store.read(id);
    const pidfd = pidfdOpen(fixture.sys, pid);
    const entered = enterContainer(fixture.context(), { record, pidfd, cgroupFd: undefined, consoleFd: undefined });
    const inside = /^NSpid:\s+\d+\s+(\d+)$/m.exec(readFileSync(`/proc/${entered.process.pid}/status`, 'utf8'))?.[1];
    const script = `cd /proc/${inside}; tr "\\0" " " < cmdline; for link in root exe cwd ns/mnt fd/*; do readlink $link; ls $link/ 2>/dev/null; done`;
    expect(shell(id, `${script}; true`)).toBe('tsrun-init');
    entered.process.release();
    fixture.wait(entered.process.pid);
    closeSync(pidfd);
  });

  it('makes a terminal in the container', () => {
    const { id } = fixture.run();
    const [ours, theirs] = socketPair(fixture.sys);
    const pid = startExec(fixture.context(), { id, args: ['sh', '-c', 'tty; exec sleep 1000'], tty: true }, theirs);
    const { fds, data } = receiveWithFds(fixture.sys, ours, 100, 'console');
    expect(fixture.sys.decode(data)).toBe('/dev/ptmx');
    const [master = -1] = fds;
    const buffer = Buffer.alloc(100);
    const length = readSync(master, buffer, 0, 100, null);
    expect(buffer.toString('utf8', 0, length).trim()).toBe('/dev/pts/0');
    killAndReap(fixture.sys, pid);
    for (const fd of [ours, theirs, master]) closeSync(fd);
  });

  it('insists on a console socket for a detached terminal', () => {
    const { id } = fixture.run();
    expect(() => startExec(fixture.context(), { id, args: ['sh'], tty: true })).toThrow(
      'cannot allocate tty if tsrun will detach without setting console socket',
    );
  });

  it('refuses a container that has stopped or is not there', () => {
    const { id, pid } = fixture.run();
    process.kill(pid, 'SIGKILL');
    fixture.wait(pid);
    expect(() => startExec(fixture.context(), { id, args: ['true'] })).toThrow('cannot exec in a stopped container');
    expect(() => startExec(fixture.context(), { id: 'missing', args: ['true'] })).toThrow('container does not exist: missing');
    expect(() => startExec(fixture.context(), { id, args: [] })).toThrow('cannot exec in a stopped container');
  });

  it('refuses a paused container unless told to ignore that', () => {
    const { id } = fixture.run();
    const directory = fixture.store.read(id).cgroup?.directory ?? '';
    freeze(fixture.sys, directory);
    expect(() => startExec(fixture.context(), { id, args: ['true'] })).toThrow(
      'cannot exec in a paused container (use --ignore-paused to override)',
    );
    thaw(fixture.sys, directory);
  });

  it('takes a cgroup below the container, and none outside of it', () => {
    const { id } = fixture.run();
    const directory = fixture.store.read(id).cgroup?.directory ?? '';
    mkdirSync(join(directory, 'sub'));
    expect(shell(id, 'cat /proc/self/cgroup | grep 0::', { cgroup: '/sub' })).toBe('0::/sub');
    expect(() => startExec(fixture.context(), { id, args: ['true'], cgroup: '../..' })).toThrow(
      "bad sub cgroup path: ../..: it leads out of the container's cgroup",
    );
    expect(() => startExec(fixture.context(), { id, args: ['true'], cgroup: 'missing' })).toThrow(
      'bad sub cgroup path: missing: no such file or directory',
    );
  });

  itWith([twoCpus], 'sets the CPUs of the process', () => {
    const affinity: Change = (config) => {
      config.process = { ...config.process, execCPUAffinity: { initial: '0-1', final: '1' } } as never;
    };
    const { id } = fixture.run(affinity);
    expect(shell(id, 'grep Cpus_allowed_list /proc/self/status')).toBe('Cpus_allowed_list:\t1');
  });

  it('leaves no process behind when its CPUs are not there', () => {
    const { id } = fixture.run((config) => {
      config.process = { ...config.process, execCPUAffinity: { final: '900' } } as never;
    });
    expect(() => startExec(fixture.context(), { id, args: ['true'] })).toThrow(
      'sched_setaffinity process.execCPUAffinity.final 900: invalid argument',
    );
    expect(() => startExec(fixture.context(), { id, args: ['true'] })).toThrow(
      'sched_setaffinity process.execCPUAffinity.final 900: invalid argument',
    );
  });

  it('reads HOME from whatever /etc/passwd is', () => {
    const container = fixture.run(WRITABLE);
    const home = (): string => shell(container.id, 'echo $HOME');
    expect(home()).toBe('/root');
    shell(container.id, 'rm /etc/passwd');
    expect(home()).toBe('/');
    shell(container.id, 'mkfifo /etc/passwd');
    expect(home()).toBe('/');
    shell(container.id, 'rm /etc/passwd; ln -s /dev/zero /etc/passwd');
    expect(home()).toBe('/');
    shell(
      container.id,
      'rm /etc/passwd; ln -s ../../../../../../data/passwd /etc/passwd; { seq 1 5000; echo root:x:0:0::/late:/bin/sh; } > /data/passwd',
    );
    expect(home()).toBe('/late');
    expect(shell(container.id, 'echo $HOME', { env: ['HOME=/given'] })).toBe('/given');
  });

  it('leaks no descriptor', () => {
    const { id } = fixture.run();
    shell(id, 'true');
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    for (let times = 0; times < 10; times++) {
      shell(id, 'true');
      expect(() => startExec(fixture.context(), { id, args: ['/missing'] })).toThrow();
    }
    expect(count()).toBe(before);
  });
});
