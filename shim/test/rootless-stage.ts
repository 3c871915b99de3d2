/**
 * tsctl as a user has it who is not root, for tests: a user whom only this test's mount namespace knows, with ids of its own in /etc/subuid, a session's directory,
 * and a network of the test's own with an address to be reached at.
 */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { builtCommand, command, type Requirement, rootUser } from '../../.scripts/jest/requirement.ts';
import { PATIENCE_MS, type Result, until } from './tsctl-stage.ts';

const USER = 51_235;
const NAME = 'tsctl-rootless';
const ETC = ['passwd', 'group', 'subuid', 'subgid'] as const;
/** Of the test's network; nothing else on the machine sees it. */
export const ADDRESS = '192.0.2.1';

const idFiles: Requirement = { what: '/etc/subuid and /etc/subgid', met: ETC.every((name) => existsSync(`/etc/${name}`)) };

export const rootlessRequirements = [
  ...[rootUser, idFiles, builtCommand('tsctl'), builtCommand('tsimg'), builtCommand('containerd-shim-tsrun-v2')],
  ...['busybox', 'unshare', 'nsenter', 'setpriv', 'newuidmap', 'newgidmap', 'ip', 'gcc'].map(command),
];

/** Answers on UDP port 1194, which busybox cannot. */
const UDP_ECHO = `#include <arpa/inet.h>
#include <string.h>
int main(void) {
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(1194)};
  if (bind(s, (struct sockaddr *)&a, sizeof a) != 0) return 1;
  char text[1024] = "pong ";
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(s, text + 5, sizeof text - 5, 0, (struct sockaddr *)&from, &size);
    if (n >= 0) sendto(s, text, n + 5, 0, (struct sockaddr *)&from, size);
  }
}
`;

const root = resolve(__dirname, '../..');
const bin = join(root, 'dist/bin');

export class RootlessStage {
  readonly directory = mkdtempSync(join(tmpdir(), 'tsctl-user-'));
  readonly #holder: ChildProcess;

  /** Call `close`. */
  static async open(): Promise<RootlessStage> {
    const stage = new RootlessStage();
    try {
      await until(() => ['net', 'mnt'].every((kind) => stage.#namespace(kind) !== readlinkSync(`/proc/self/ns/${kind}`)));
      stage.#makeUser();
      stage.#makeNetwork();
      stage.#openTheWay();
      stage.#makeImage();
      return stage;
    } catch (error) {
      stage.close();
      throw error;
    }
  }

  private constructor() {
    this.#holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sleep', '3600'], { stdio: 'ignore' });
  }

  #namespace(kind: string): string {
    return readlinkSync(`/proc/${this.#holder.pid}/ns/${kind}`);
  }

  at(name: string): string {
    return join(this.directory, name);
  }

  /** A directory that the user can write to. */
  get home(): string {
    return this.at('home');
  }

  #makeUser(): void {
    chmodSync(this.directory, 0o755);
    for (const name of ['home', 'home/run']) {
      mkdirSync(this.at(name), { mode: 0o700 });
      chownSync(this.at(name), USER, USER);
    }
    const lines = {
      passwd: `${NAME}:x:${USER}:${USER}::${this.home}:/bin/sh\n`,
      group: `${NAME}:x:${USER}:\n`,
      subuid: `${NAME}:400000:65536\n`,
      subgid: `${NAME}:400000:65536\n`,
    };
    for (const name of ETC) {
      writeFileSync(this.at(name), readFileSync(`/etc/${name}`, 'utf8') + lines[name], { mode: 0o644 });
      this.#must('mount', '--bind', this.at(name), `/etc/${name}`);
    }
  }

  /** Also a device of tunnels that everybody may open, as on other machines. */
  #makeNetwork(): void {
    this.#must('ip', 'link', 'set', 'lo', 'up');
    this.#must('ip', 'link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'beyond');
    this.#must('ip', 'address', 'add', `${ADDRESS}/24`, 'dev', 'outside');
    for (const name of ['outside', 'beyond']) this.#must('ip', 'link', 'set', name, 'up');
    this.#must('ip', 'route', 'add', 'default', 'via', '192.0.2.254', 'dev', 'outside');
    if (!existsSync('/dev/net/tun')) return;
    mkdirSync(this.at('dev'));
    this.#must('mount', '-t', 'tmpfs', 'tmpfs', this.at('dev'));
    this.#must('mknod', '-m', '666', this.at('dev/tun'), 'c', '10', '200');
    this.#must('mount', '--bind', this.at('dev/tun'), '/dev/net/tun');
  }

  /** The commands may lie below a home directory that is closed to others. */
  #openTheWay(): void {
    const above = ancestors(root);
    const closed = above.find((directory) => (statSync(directory).mode & 0o001) === 0);
    if (closed === undefined) return;
    mkdirSync(this.at('root'));
    this.#must('mount', '--bind', root, this.at('root'));
    this.#must('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', closed);
    this.#must('mkdir', '-p', root);
    this.#must('mount', '--bind', this.at('root'), root);
  }

  #makeImage(): void {
    const image = this.at('image');
    for (const name of ['bin', 'etc', 'tmp', 'www']) mkdirSync(join(image, name), { recursive: true });
    execFileSync('cp', ['/bin/busybox', join(image, 'bin/busybox')]);
    execFileSync('chroot', [image, '/bin/busybox', '--install', '-s', '/bin']);
    writeFileSync(join(image, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/www:/bin/sh\n');
    writeFileSync(join(image, 'etc/group'), 'root:x:0:\nweb:x:33:\n');
    writeFileSync(join(image, 'www/index.html'), 'It works!\n');
    chownSync(join(image, 'www/index.html'), 33, 33);
    writeFileSync(this.at('echo.c'), UDP_ECHO);
    execFileSync('gcc', ['-static', '-o', join(image, 'bin/udp-echo'), this.at('echo.c')]);
    execFileSync('tar', ['-C', image, '-cf', this.at('image.tar'), '.']);
    const { code, stderr } = this.asUser([join(bin, 'tsimg'), 'import', this.at('image.tar'), 'busybox', '-c', 'CMD ["sh"]']);
    if (code !== 0) throw new Error(stderr);
  }

  get env(): Record<string, string | undefined> {
    return {
      PATH: process.env['PATH'],
      HOME: this.home,
      TERM: 'xterm',
      XDG_RUNTIME_DIR: join(this.home, 'run'),
      TSRUN_SHIM_IDLE_SECONDS: '60',
    };
  }

  get enter(): string[] {
    return ['nsenter', '-t', String(this.#holder.pid), '-n', '-m', '--'];
  }

  /** What makes a program the user's. */
  get becomeUser(): string[] {
    return [...this.enter, 'setpriv', '--reuid', String(USER), '--regid', String(USER), '--clear-groups', 'env', '-C', this.home];
  }

  #must(...words: readonly string[]): void {
    const { code, stderr } = this.inside(words);
    if (code !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  }

  /** As root, from where the user is. */
  inside(words: readonly string[], input = ''): Result {
    return run([...this.enter, ...words], this.env, input);
  }

  /** Goes on while the test does. */
  spawnInside(words: readonly string[]): ChildProcess {
    const [program = '', ...args] = [...this.enter, ...words];
    return spawn(program, args, { env: this.env, stdio: 'ignore' });
  }

  /** A command of the machine that the user's next namespaces do not have; nothing of the user's may run any more. */
  hide(name: string): void {
    for (const directory of (process.env['PATH'] ?? '').split(':')) {
      if (existsSync(join(directory, name))) this.#must('mount', '--bind', '/dev/null', join(directory, name));
    }
    for (const pid of this.userPids()) kill(pid);
    for (let tries = 0; this.userPids().length > 0 && tries < 600; tries += 1) spawnSync('sleep', ['0.1']);
  }

  asUser(words: readonly string[], env: Record<string, string | undefined> = {}): Result {
    return run([...this.becomeUser, ...words], { ...this.env, ...env }, '');
  }

  line(...words: string[]): string[] {
    return [join(bin, 'tsctl'), ...words];
  }

  tsctl(...words: string[]): Result {
    return this.asUser(this.line(...words));
  }

  succeeds(...words: string[]): string {
    const { code, stdout, stderr } = this.tsctl(...words);
    if (code !== 0) throw new Error(`tsctl ${words.join(' ')}: ${code}\n${stderr}`);
    return stdout;
  }

  /** Which no other process has. */
  userPids(): number[] {
    const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,uid='], { encoding: 'utf8' });
    return stdout.split('\n').flatMap((line) => {
      const [pid, uid] = line.trim().split(/\s+/).map(Number);
      return pid !== undefined && uid === USER ? [pid] : [];
    });
  }

  close(): void {
    const ids = this.tsctl('ps', '-aq')
      .stdout.split('\n')
      .filter((id) => id !== '');
    if (ids.length > 0) this.tsctl('rm', '-f', ...ids);
    for (const pid of this.userPids()) kill(pid);
    this.#holder.kill();
    // What processes still hold goes with them.
    for (let tries = 0; this.userPids().length > 0 && tries < 100; tries += 1) spawnSync('sleep', ['0.1']);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function ancestors(path: string): string[] {
  const found: string[] = [];
  for (let directory = path; directory !== '/'; directory = dirname(directory)) found.unshift(directory);
  return found;
}

function run(words: readonly string[], env: Record<string, string | undefined>, input: string): Result {
  const [program = '', ...args] = words;
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', input, env, timeout: PATIENCE_MS });
  return { code: status, stdout, stderr };
}
