/** What callers rely on: where flags may be, errors and where they are told, exit statuses, files and descriptors that are passed. */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { args, type ConfigChange, writeConfig } from './bundle.ts';
import { cgroupsOf, describeBothEngines, isRunning } from './cli.ts';

const missingCommand = args('no-such-command');

describeBothEngines('command line', (cli) => {
  it.each([['-b=%'], ['-b', '%'], ['--bundle=%'], ['--bundle', '%'], ['-bundle', '%']])('takes the bundle as %s %s', (...flags) => {
    const bundle = cli().bundle(args('true'));
    const id = cli().id();
    const { status } = cli().run(['create', ...flags.map((flag) => flag.replace('%', bundle)), id], { stdio: 'ignore' });
    expect([status, cli().state(id).status]).toEqual([0, 'created']);
  });

  it('takes the bundle from the working directory, and a relative one from there', () => {
    const bundle = cli().bundle();
    const [id, other] = [cli().id(), cli().id()];
    cli().run(['create', id], { stdio: 'ignore', cwd: bundle });
    cli().run(['create', '-b', '../bundle1/.', other], { stdio: 'ignore', cwd: bundle });
    expect([cli().state(id)['bundle'], cli().state(other)['bundle']]).toEqual([bundle, bundle]);
  });

  it('takes global flags before and after the command', () => {
    const id = cli().start();
    const bare = (...words: string[]) => cli().run(words, { bare: true });
    expect(bare('state', '--root', cli().root, id).stdout).toContain('"running"');
    expect(bare('state', id, `--root=${cli().root}`).stdout).toContain('"running"');
    expect(bare('-root', cli().root, 'state', id).stdout).toContain('"running"');
    expect(bare('--root', '/nowhere', 'state', id, '--root', cli().root).stdout).toContain('"running"');
    const known = ['--criu', 'x', '--rootless=true', '--systemd-cgroup', '--log-level', 'info', '--debug', '--log-format=text'];
    expect(bare(...known, '--root', cli().root, 'kill', '--all', id, '9')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('needs no environment, no PATH, and no certain working directory', () => {
    const id = cli().id();
    const bundle = cli().bundle();
    const directory = join(cli().directory, 'gone');
    mkdirSync(directory);
    for (const words of [
      ['create', '--bundle', bundle, id],
      ['start', id],
      ['pause', id],
      ['resume', id],
      ['kill', id, '9'],
      ['list', '-q'],
    ]) {
      expect(cli().run(words, { env: {}, cwd: '/proc', stdio: 'ignore' }).status).toBe(0);
    }
    cli().waitFor(id, 'stopped');
    const script = `cd ${directory} && rmdir ${directory} && exec ${cli().command} --root ${cli().root} delete ${id}`;
    expect(spawnSync('/bin/sh', ['-c', script], { env: {}, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('starts without procfs, out of which the native command reads its own image', () => {
    const script = 'umount --lazy /proc && exec "$0" --version';
    const { status, stdout } = spawnSync('unshare', ['--mount', 'sh', '-c', script, cli().command], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, cli().look(['--version'], { bare: true }).stdout]);
  });

  it('prints its version, of which docker reads the first line', () => {
    const { stdout } = cli().look(['--version'], { bare: true });
    expect(stdout).toMatch(/^tsrun version \d+\.\d+\.\d+\S*\ncommit: \S+\nspec: 1\.3\.0\n$/);
    expect(cli().look(['-v'], { bare: true }).stdout).toBe(stdout);
  });

  it('helps', () => {
    const overview = cli().ok(['--help'], { bare: true });
    expect(overview).toContain('tsrun [GLOBAL FLAGS] COMMAND');
    expect(cli().ok([], { bare: true })).toBe(overview);
    const commands = [...overview.matchAll(/^ {2}([a-z]+) +\S/gm)].map((match) => match[1] ?? '');
    expect(commands).toEqual(
      expect.arrayContaining(['create', 'start', 'run', 'exec', 'state', 'list', 'ps', 'kill', 'delete', 'spec', 'plan', 'features']),
    );
    for (const name of commands) {
      const help = cli().ok([name, '--help'], { bare: true });
      expect(help).toMatch(new RegExp(`^\\S.*\\n\\nUsage: tsrun ${name}`));
      // Every flag is explained.
      expect(help).not.toMatch(/^ +(-\w, )?--[\w-]+ *$/m);
      expect(cli().ok(['help', name], { bare: true })).toBe(help);
      expect(cli().ok([name, '-h'], { bare: true })).toBe(help);
    }
  });

  it.each([
    [['state'], '"state" takes exactly 1 argument, not 0'],
    [['state', 'a', 'b'], '"state" takes exactly 1 argument, not 2'],
    [['list', 'a'], '"list" takes no arguments, not 1'],
    [['delete', '--frce', 'a'], 'unknown flag --frce: did you mean --force?'],
    [['--rot', '/', 'list'], 'unknown flag --rot: did you mean --root?'],
    [['kil', 'a'], 'unknown command "kil": did you mean kill?'],
    [['help', 'delte'], 'unknown command "delte": did you mean delete?'],
    [['restor', 'a'], 'unknown command "restor": did you mean restore?'],
    [['list', '--format', 'xml'], 'invalid format option "xml": it is table or json'],
    [['--log-format', 'xml', 'list'], 'invalid value "xml" for flag --log-format: it is one of text, json'],
    [['create', '--preserve-fds', '1x', 'a'], 'invalid value "1x" for flag --preserve-fds: it is a number from 0 to 2147483647'],
    [['create', '--preserve-fds'], 'flag --preserve-fds needs a value'],
  ])('refuses %j', (words, message) => {
    const { status, stdout, stderr } = cli().run(words);
    expect([status, stdout, stderr.split('\n')[0]]).toEqual([1, '', message]);
  });

  it.each(['.', '..', 'a/b', '../a', '', 'a b', 'ü', 'a'.repeat(256)])('refuses the id %j everywhere', (id) => {
    const bundle = cli().bundle();
    const commands = [
      ['create', '-b', bundle, id],
      ['run', '-b', bundle, id],
      ['start', id],
      ['exec', id, 'true'],
      ['state', id],
    ];
    for (const words of [...commands, ['ps', id], ['kill', id], ['pause', id], ['resume', id], ['delete', id], ['delete', '--force', id]]) {
      const { status, stderr } = cli().run(words);
      expect([status, stderr.split(':').filter((part) => part.includes('invalid container'))]).toEqual([
        words[0] === 'exec' ? 255 : 1,
        [expect.stringContaining('invalid container ID format')],
      ]);
    }
    expect(readdirSync(cli().root)).toEqual([]);
  });

  it('keeps the words that engines look for', () => {
    const id = cli().start();
    const bundle = cli().bundle();
    const error = (...words: string[]) => cli().run(words).stderr;
    expect(error('create', '-b', bundle, id)).toBe(`tsrun create failed: container with given ID already exists: ${id}\n`);
    expect(error('start', id)).toBe('cannot start an already running container\n');
    writeConfig(bundle, missingCommand);
    const unable =
      'unable to start container process: error during container init: exec: "no-such-command": executable file not found in $PATH\n';
    expect(error('create', '-b', bundle, cli().id())).toBe(`tsrun create failed: ${unable}`);
    expect(error('run', '-b', bundle, cli().id())).toBe(`tsrun run failed: ${unable}`);
    writeConfig(bundle, args('/etc'));
    expect(error('create', '-b', bundle, cli().id())).toContain(': permission denied\n');
    writeConfig(bundle, args('/bin/none'));
    expect(error('create', '-b', bundle, cli().id())).toContain(': no such file or directory\n');
    expect(error('create', '-b', '/none', cli().id())).toContain('/none/config.json: no such file or directory\n');
    expect(cli().run(['exec', id, 'no-such-command'])).toEqual({
      status: 255,
      stdout: '',
      stderr: 'exec failed: unable to start container process: exec: "no-such-command": executable file not found in $PATH\n',
    });
    cli().ok(['kill', id, '9']);
    cli().waitFor(id, 'stopped');
    expect(error('start', id)).toBe('cannot start a container that has stopped\n');
    expect(error('exec', id, 'true')).toContain('exec failed: ');
  });
});

describeBothEngines('state directory', (cli) => {
  const user = { uid: 65534, gid: 65534 };
  const temporary = `/tmp/tsrun-${user.uid}`;
  const removeTemporary = () => rmSync(temporary, { recursive: true, force: true });
  beforeEach(removeTemporary);
  afterEach(removeTemporary);

  it("is in the user's runtime directory for a user, and with --root where that says", () => {
    chmodSync(cli().directory, 0o755);
    for (const root of ['tsrun', 'other']) mkdirSync(join(cli().directory, root, `in-${root}`), { recursive: true });
    const env = { XDG_RUNTIME_DIR: cli().directory };
    expect(cli().look(['list', '-q'], { ...user, env, bare: true }).stdout).toBe('in-tsrun\n');
    expect(cli().look(['--root', 'other', 'list', '-q'], { ...user, env, bare: true, cwd: cli().directory }).stdout).toBe('in-other\n');
    // Root has /run/tsrun, whatever its environment says.
    expect(cli().look(['list', '-q'], { env, bare: true }).stdout).not.toContain('in-tsrun');
  });

  it('is in /tmp for a user without a runtime directory, if it is that user who has made it', () => {
    expect(cli().run(['list', '-q'], { ...user, env: {}, bare: true })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(statSync(temporary)).toMatchObject({ uid: user.uid, mode: 0o40700 });
    removeTemporary();
    mkdirSync(temporary, { mode: 0o777 });
    const { status, stderr } = cli().run(['list', '-q'], { ...user, env: {}, bare: true });
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${temporary} is not a directory that only user ${user.uid} can use`)]);
  });

  it('is open to its owner alone, and so are the containers', () => {
    const root = join(cli().directory, 'new/root');
    const id = cli().id();
    cli().run(['--root', root, 'create', '-b', cli().bundle(), id], { bare: true, stdio: 'ignore' });
    try {
      expect([root, join(root, id)].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
      const modes = readdirSync(join(root, id)).map((name) => statSync(join(root, id, name)).mode & 0o077);
      expect(modes).toEqual(modes.map(() => 0));
    } finally {
      cli().run(['--root', root, 'delete', '--force', id], { bare: true });
    }
  });
});

describeBothEngines('log', (cli) => {
  const log = () => join(cli().directory, 'log.json');
  const records = () =>
    readFileSync(log(), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  it('has a JSON record of the error, which stderr tells as well', () => {
    const { status, stderr } = cli().run(['--log', log(), '--log-format', 'json', 'state', 'missing']);
    const msg = 'container does not exist: missing';
    expect([status, stderr]).toEqual([1, `${msg}\n`]);
    expect(records()).toEqual([
      { level: 'error', msg, time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/), code: 'not-found' },
    ]);
    expect(statSync(log()).mode & 0o777).toBe(0o644);
  });

  it('is appended to, and tells where the error came from', () => {
    writeFileSync(log(), '{"level":"info","msg":"before","time":"2026-01-01T00:00:00Z"}\n');
    cli().run(['--log', log(), '--log-format=json', 'create', '-b', cli().bundle(missingCommand), cli().id()]);
    cli().run(['--log', log(), 'create', '-b', '/none', '--log-format=json', cli().id()]);
    expect(records()).toEqual([
      expect.objectContaining({ msg: 'before' }),
      expect.objectContaining({
        level: 'error',
        code: 'executable',
        path: 'process.args[0]',
        msg: expect.stringContaining('executable file not found in $PATH'),
      }),
      expect.objectContaining({
        level: 'error',
        code: 'syscall',
        syscall: 'openat',
        errno: 'ENOENT',
        msg: expect.stringMatching(/^tsrun create failed: /),
      }),
    ]);
  });

  it('has warnings', () => {
    const typo: ConfigChange = (config) => {
      if (config.linux !== undefined) Object.assign(config.linux, { maskedPath: [] });
    };
    const id = cli().id();
    cli().run(['--log', log(), '--log-format', 'json', 'create', '-b', cli().bundle(typo), id], { stdio: 'ignore' });
    expect(records()).toEqual([
      expect.objectContaining({ level: 'warning', msg: expect.stringMatching(/linux\.maskedPath.*maskedPaths/), time: expect.anything() }),
    ]);
    expect(cli().state(id).status).toBe('created');
  });

  it('has errors of a command line that makes no sense', () => {
    cli().run(['--log', log(), '--log-format', 'json', 'delete', '--frce', 'a']);
    expect(records()).toEqual([
      expect.objectContaining({ level: 'error', code: 'usage', msg: 'unknown flag --frce: did you mean --force?' }),
    ]);
  });

  it('is text otherwise, and JSON on stderr where there is no file', () => {
    cli().run(['--log', log(), 'state', 'missing']);
    expect(readFileSync(log(), 'utf8')).toMatch(/^time="[^"]+Z" level=error msg="container does not exist: missing" code="not-found"\n$/);
    const { stderr } = cli().run(['--log-format', 'json', 'state', 'missing']);
    expect(JSON.parse(stderr)).toMatchObject({ level: 'error', msg: 'container does not exist: missing' });
  });

  it('does not keep the command from its work when it cannot be written', () => {
    const { status, stderr } = cli().run(['--log', '/none/log', 'state', 'missing']);
    expect([status, stderr]).toEqual([1, 'warning: cannot write to the log /none/log: ENOENT\ncontainer does not exist: missing\n']);
  });
});

describeBothEngines('pid file', (cli) => {
  it('is written after success only, and replaced as a whole', () => {
    const file = join(cli().directory, 'pid');
    const failed = cli().id();
    cli().run(['create', '--pid-file', file, '-b', cli().bundle(missingCommand), failed]);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(join(cli().root, failed))).toBe(false);
    expect(cgroupsOf(failed)).toEqual([]);
    writeFileSync(file, '12345678');
    const id = cli().id();
    cli().create(id, cli().bundle(), '--pid-file', file);
    expect(readFileSync(file, 'utf8')).toBe(String(cli().state(id).pid));
    expect(readdirSync(cli().directory).filter((name) => name.startsWith('pid'))).toEqual(['pid']);
  });

  it('that cannot be written leaves no container', () => {
    const id = cli().id();
    const { status, stderr } = cli().run(['create', '--pid-file', '/none/pid', '-b', cli().bundle(), id]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no such file or directory')]);
    expect(readdirSync(cli().root)).toEqual([]);
    expect(cgroupsOf(id)).toEqual([]);
  });
});

describeBothEngines('descriptors', (cli) => {
  /** Runs a container whose process prints its descriptors and environment. `env` is the command's; `fds` are its descriptors from 3 on. */
  function openFiles(flags: readonly string[], env: Readonly<Record<string, string>>, fds: readonly number[]): string {
    const bundle = cli().bundle(args('sh', '-c', 'ls /proc/self/fd; env | grep ^LISTEN; cat <&3'));
    const words = [cli().command, '--root', cli().root, 'run', ...flags, '-b', bundle, cli().id()];
    // A service manager tells the pid of the process that it becomes.
    const script = 'test -z "$LISTEN_FDS" || export LISTEN_PID=$$; exec "$@"';
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script, 'sh', ...words], {
      encoding: 'utf8',
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...fds],
    });
    return stdout + stderr;
  }

  it('are preserved as many as asked for, and no more', () => {
    const path = join(cli().directory, 'file');
    writeFileSync(path, 'content');
    const fd = openSync(path, 'r');
    const other = openSync(path, 'r');
    // ls itself opens one: the directory.
    expect(openFiles(['--preserve-fds', '1'], {}, [fd, other])).toBe('0\n1\n2\n3\n4\ncontent');
    closeSync(fd);
    closeSync(other);
  });

  it('of a service manager go first, with their variables', () => {
    const paths = ['first', 'second'].map((name) => join(cli().directory, name));
    for (const path of paths) writeFileSync(path, path.endsWith('first') ? 'listening' : 'preserved');
    const fds = paths.map((path) => openSync(path, 'r'));
    const env = { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web', PATH: '/bin' };
    expect(openFiles(['--preserve-fds=1'], env, fds)).toBe('0\n1\n2\n3\n4\n5\nLISTEN_FDS=1\nLISTEN_PID=1\nLISTEN_FDNAMES=web\nlistening');
    for (const fd of fds) closeSync(fd);
  });

  it('that are not open are an error', () => {
    const id = cli().id();
    const { status, stderr } = cli().run(['create', '--preserve-fds', '2', '-b', cli().bundle(), id]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('unable to stat preserved-fd 3')]);
    expect(readdirSync(cli().root)).toEqual([]);
  });

  it('of a service manager that are meant for another process are passed over', () => {
    const id = cli().id();
    const { status } = cli().run(['create', '-b', cli().bundle(), id], { env: { LISTEN_FDS: '1', LISTEN_PID: '1' }, stdio: 'ignore' });
    expect(status).toBe(0);
    expect(isRunning(cli().state(id).pid)).toBe(true);
  });
});
