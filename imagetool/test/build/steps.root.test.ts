/** What a RUN step finds around it: filter and capabilities, agents, the shell that opens where one fails. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, lchownSync, lstatSync, lutimesSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { bootstrap } from '../../src/cli/commands/bootstrap.ts';
import { AtTerminal, TsimgCommand } from './command.ts';
import { BuildBench } from './testing.ts';

/** Each makes several images: many seconds on a machine that has other work. */
jest.setTimeout(180_000);

describeWith([rootUser, command('busybox')], 'RUN steps', () => {
  let bench: BuildBench;
  let tsimg: TsimgCommand;
  beforeAll(async () => {
    bench = await BuildBench.make();
    tsimg = await TsimgCommand.make(bench);
  });
  afterAll(() => {
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
  });
  const context = (name: string, dockerfile: string): string => bench.context(name, { Dockerfile: dockerfile });

  it('have docker’s capabilities and its filter of system calls', async () => {
    const run = 'grep -E "^(CapEff|CapBnd|Seccomp):" /proc/self/status > /status; ! unshare -r true && ! mount -t tmpfs x /mnt && ! dmesg';
    await bench.build('-q', '-t', 'localhost/confined', context('confined', `FROM busybox\nRUN ${run}\n`));
    expect(await bench.text('localhost/confined', 'status')).toBe('CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n');
  });

  it('have the host’s network, or none', async () => {
    const look = (file: string): string => `readlink /proc/self/ns/net > /${file}`;
    const lines = ['FROM busybox', `RUN ${look('default')}`, `RUN --network=host ${look('host')}`, `RUN --network=none ${look('none')}`];
    await bench.build('-q', '-t', 'localhost/networks', context('networks', `${lines.join('\n')}\n`));
    const [own, ...seen] = [readlinkSync('/proc/self/ns/net'), ...(await Promise.all(['default', 'host', 'none'].map(networkOf)))];
    expect(seen).toEqual([own, own, expect.not.stringContaining(own)]);
    await bench.build('-q', '--no-cache', '--network', 'none', '-t', 'localhost/networks', join(bench.directory.path, 'networks'));
    expect(await networkOf('default')).not.toBe(own);
    expect(await networkOf('host')).toBe(own);
  });
  const networkOf = async (file: string): Promise<string | undefined> => (await bench.text('localhost/networks', file))?.trim();

  it('see the files of a context as root’s, whoever owns them', async () => {
    const files = { 'sub/own': 'own', 'sub/deep/other': 'other', 'sub/hidden': 'hidden', plain: 'plain', '.dockerignore': 'sub/hidden\n' };
    const look =
      "cd /c && find .dockerignore * | sort | xargs stat -c '%n %u:%g %a %Y' > /seen && cat plain sub/own sub/link >> /seen && echo new > plain";
    const dockerfile = [
      'FROM busybox',
      `RUN --mount=type=bind,target=/c,rw ${look}`,
      "RUN --mount=type=bind,source=sub/link,target=/f stat -c '%u:%g %a' /f > /single",
    ];
    const directory = bench.context('owned', { ...files, Dockerfile: `${dockerfile.join('\n')}\n` });
    const at = (path: string): string => join(directory, path);
    symlinkSync('deep/other', at('sub/link'));
    const modes = { sub: 0o750, 'sub/own': 0o600, 'sub/deep': 0o755, 'sub/deep/other': 0o4711, plain: 0o644 };
    for (const [path, owner] of Object.entries({ sub: 1, 'sub/own': 0, 'sub/deep': 0, 'sub/deep/other': 51_234, 'sub/link': 7, plain: 2 }))
      lchownSync(at(path), owner, owner);
    for (const [path, mode] of Object.entries(modes)) chmodSync(at(path), mode);
    for (const name of ['.dockerignore', 'Dockerfile']) chmodSync(at(name), 0o644);
    for (const path of ['sub/link', 'Dockerfile', '.dockerignore', ...Object.keys(modes).reverse()]) lutimesSync(at(path), 1e9, 1e9);
    await bench.build('-q', '-t', 'localhost/owned', directory);
    const line = (path: string, mode: number): string => `${path} 0:0 ${mode.toString(8)} 1000000000\n`;
    expect(await bench.text('localhost/owned', 'seen')).toBe(
      [
        line('.dockerignore', 0o644),
        line('Dockerfile', 0o644),
        line('plain', 0o644),
        line('sub', 0o750),
        line('sub/deep', 0o755),
        line('sub/deep/other', 0o4711),
        line('sub/link', 0o777),
        line('sub/own', 0o600),
        'plainownother',
      ].join(''),
    );
    expect(await bench.text('localhost/owned', 'single')).toBe('0:0 4711\n');
    expect([lstatSync(at('plain')).uid, readFileSync(at('plain'), 'utf8')]).toEqual([2, 'plain']);
  });

  describeWith([command('ssh-agent'), command('ssh-add')], 'with an SSH agent', () => {
    let agent: ChildProcess;
    const socket = (): string => join(bench.directory.path, 'agent.sock');
    beforeAll(async () => {
      await bench.run(bootstrap, '--tool', 'ssh-add', 'localhost/ssh');
      agent = spawn('ssh-agent', ['-D', '-a', socket()], { stdio: 'ignore' });
      while (!existsSync(socket()) && agent.exitCode === null) await sleep(10);
    });
    afterAll(async () => {
      agent.kill();
      await new Promise((done) => (agent.exitCode === null && agent.signalCode === null ? agent.once('close', done) : done(undefined)));
    });
    // An empty agent answers, and ssh-add says with 1 that it is empty; 2 is one that cannot be reached.
    const ask = 'ssh-add -l > /asked; test $? = 1';
    const answer = 'The agent has no identities.\n';

    it('reach it', async () => {
      const file = context('ssh', `FROM localhost/ssh\nRUN --mount=type=ssh ${ask}\n`);
      await bench.build('-q', '--ssh', `default=${socket()}`, '-t', 'localhost/asked', file);
      expect(await bench.text('localhost/asked', 'asked')).toBe(answer);
    });
    it('by a name and at a place of their own, as another user', async () => {
      const mount = '--mount=type=ssh,id=other,target=/agent,uid=1,mode=0600,required=true';
      const file = context(
        'user',
        `FROM localhost/ssh\nRUN touch /asked && chown 1 /asked\nUSER 1\nRUN ${mount} test $SSH_AUTH_SOCK = /agent && ${ask}\n`,
      );
      await bench.build('-q', '--ssh', `other=${socket()}`, '-t', 'localhost/asked', file);
      expect(await bench.text('localhost/asked', 'asked')).toBe(answer);
      await expect(bench.build('--no-cache', file)).rejects.toThrow('the SSH agent "other" is required, and was not given');
    });
    it('do without, where it is not required', async () => {
      await bench.build('-q', context('without', 'FROM localhost/ssh\nRUN --mount=type=ssh test -z "$SSH_AUTH_SOCK"\n'));
      const { status, stderr } = await tsimg.run('', 'build', '--ssh', 'default=', context('without', 'FROM busybox\n'));
      expect([status, stderr]).toEqual([2, expect.stringContaining('there is no agent')]);
    });
  });

  describeWith([command('ssh-keygen'), command('ssh-add')], 'with keys for an SSH agent', () => {
    beforeAll(async () => {
      await bench.run(bootstrap, '--tool', 'ssh-add', 'localhost/ssh');
    });
    const makeKey = (name: string, passphrase = ''): string => {
      const path = join(bench.directory.path, name);
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', name, '-f', path]);
      return path;
    };
    const words = (text = ''): string[] => text.split(' ').slice(0, 2);

    it('find them in an agent of the build', async () => {
      const [one, two] = [makeKey('one'), makeKey('two')];
      const file = context('keys', 'FROM localhost/ssh\nRUN --mount=type=ssh,required ssh-add -L > /asked && ! ssh-add -D\n');
      await bench.build('-q', '--ssh', `default=${one},${two}`, '-t', 'localhost/keys', file);
      const lines = (await bench.text('localhost/keys', 'asked'))?.trim().split('\n') ?? [];
      expect(lines.map(words)).toEqual([one, two].map((path) => words(readFileSync(`${path}.pub`, 'utf8'))));
    });
    it('are refused one with a passphrase, before anything is built', async () => {
      const { status, stderr } = await tsimg.run('', 'build', '--ssh', `default=${makeKey('locked', 'x')}`, context('keys', 'FROM none\n'));
      expect([status, stderr]).toEqual([1, expect.stringMatching(/locked is encrypted, and builds do not ask for passphrases\n.*ssh-add/)]);
    });
  });

  describeWith([command('script')], 'at a terminal', () => {
    /** The shell may ask where the cursor is. */
    const prompt = /# (?:\P{L}\[6n)?$/u;
    const dockerfile = 'FROM busybox\nRUN echo before > /before\nENV VALUE=of-step\nRUN echo half > /half; exit 3\n';
    it('--shell-on-error opens a shell in the state of the step that failed', async () => {
      using at = new AtTerminal(tsimg.argv('build', '--shell-on-error', context('failing', dockerfile)));
      await at.shows(prompt);
      at.type('cat /before /half; echo "$VALUE" in $(pwd); exit\n');
      expect(await at.ends()).toBe(1);
      expect(at.text).toMatch(/before\r?\nhalf\r?\nof-step in \//);
      expect(at.text).toContain('exit code: 3');
      expect(bench.leftovers()).toEqual([]);
    });
    it('debug opens one before a step', async () => {
      using at = new AtTerminal(tsimg.argv('debug', '3/3', context('failing', dockerfile)));
      await at.shows(prompt);
      at.type('ls /before /half; echo "$VALUE"; exit\n');
      expect(await at.ends()).toBe(0);
      expect(at.text).toMatch(/\/before\r?\nof-step|\/half: No such file/);
      expect(at.text).not.toContain('exit code: 3');
    });
    it('a shell-on-error without one is refused', async () => {
      const { status, stderr } = await tsimg.run('', 'build', '--shell-on-error', context('failing', dockerfile));
      expect([status, stderr]).toEqual([2, expect.stringContaining('--shell-on-error needs a terminal')]);
    });
    it('^C ends a build there', async () => {
      using at = new AtTerminal(tsimg.argv('build', '--no-cache', context('slow', 'FROM busybox\nRUN echo started && sleep 60\n')));
      await at.shows(/# started/);
      at.type('\x03');
      expect(await at.ends()).toBe(1);
      expect(at.text).toContain('stopped by SIGINT');
      expect(bench.leftovers()).toEqual([]);
    });
  });
});
