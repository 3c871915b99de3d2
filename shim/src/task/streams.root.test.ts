import { chmodSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { StatusCode } from '../base/status.ts';
import { Ground, shell, textOf } from './test/ground.ts';
import { openWriter, PipeReader } from './test/reader.ts';

describeWith([rootUser, staticBusybox], 'the streams of a task', () => {
  let ground: Ground;

  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.dispose());

  const run = async (id: string, script: string, streams: object, terminal = false): Promise<number> => {
    const { client } = ground;
    const bundle = ground.bundle(args('sh', '-c', script), (config) => {
      if (config.process !== undefined) config.process.terminal = terminal;
    });
    await client.Create({ id, bundle, terminal, ...streams });
    await client.Start({ id });
    const { exitStatus } = await client.Wait({ id });
    await client.Delete({ id });
    return exitStatus ?? -1;
  };

  it('go to named pipes, whose readers see the end', async () => {
    const [stdout, stderr] = [ground.pipe('out'), ground.pipe('err')];
    const [out, err] = [new PipeReader(stdout), new PipeReader(stderr)];
    expect(await run('task-pipes', 'echo out; echo err >&2', { stdout, stderr })).toBe(0);
    expect(await out.ended).toBe('out\n');
    expect(await err.ended).toBe('err\n');
  });

  it('lose nothing of a large output to a slow reader', async () => {
    const stdout = ground.pipe('out');
    const { client } = ground;
    const bundle = ground.bundle(
      args('sh', '-c', 'i=0; while [ $i -lt 20000 ]; do echo 0123456789012345678901234567890123456789$i; i=$((i+1)); done'),
    );
    await client.Create({ id: 'task-large', bundle, stdout });
    await client.Start({ id: 'task-large' });
    // Meanwhile the pipes fill.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await client.State({ id: 'task-large' })).toMatchObject({ status: 2 });
    const reader = new PipeReader(stdout);
    await client.Wait({ id: 'task-large' });
    await client.Delete({ id: 'task-large' });
    const lines = (await reader.ended).split('\n');
    expect(lines).toHaveLength(20_001);
    expect(lines[19_999]).toBe('012345678901234567890123456789012345678919999');
  });

  it('outlive a reader that goes away', async () => {
    const stdout = ground.pipe('out');
    const { client } = ground;
    const bundle = ground.bundle(args('sh', '-c', 'echo first; sleep 0.3; echo second; echo third; exit 7'));
    await client.Create({ id: 'task-reader', bundle, stdout });
    const reader = new PipeReader(stdout);
    await client.Start({ id: 'task-reader' });
    await reader.until(/first/);
    reader.close();
    expect(await client.Wait({ id: 'task-reader' })).toMatchObject({ exitStatus: 7 });
    await client.Delete({ id: 'task-reader' });
  });

  it('bring input, until the client and CloseIO end it', async () => {
    const [stdin, stdout] = [ground.pipe('in'), ground.pipe('out')];
    const { client } = ground;
    await client.Create({ id: 'task-stdin', bundle: ground.bundle(args('cat')), stdin, stdout });
    const reader = new PipeReader(stdout);
    await client.Start({ id: 'task-stdin' });
    const first = openWriter(stdin);
    writeSync(first.fd, 'one\n');
    await reader.until(/one\n/);
    first.close();
    // Nobody has it open now but the shim.
    const second = openWriter(stdin);
    writeSync(second.fd, 'two\n');
    await client.CloseIO({ id: 'task-stdin', stdin: true });
    await client.CloseIO({ id: 'task-stdin', stdin: true });
    await reader.until(/two\n/);
    expect(await client.State({ id: 'task-stdin' })).toMatchObject({ status: 2 });
    second.close();
    expect(await client.Wait({ id: 'task-stdin' })).toMatchObject({ exitStatus: 0 });
    await client.Delete({ id: 'task-stdin' });
    expect(await reader.ended).toBe('one\ntwo\n');
  });

  it('go to one file, each in its order', async () => {
    const path = join(ground.directory, 'a b/log');
    const uri = `file://${path.replace(' ', '%20')}`;
    await run('task-file', 'echo out; echo err >&2; echo end; echo eof >&2', { stdout: uri, stderr: uri });
    // Two pipes: which of them is read first is nobody's promise.
    const lines = textOf(path).split('\n');
    expect(lines.filter((line) => /out|end/.test(line))).toEqual(['out', 'end']);
    expect(lines.filter((line) => /err|eof/.test(line))).toEqual(['err', 'eof']);
    expect(lines).toHaveLength(5);
    await run('task-rest', 'printf rest', { stdout: `file://${path.replace(' ', '%20')}.rest` });
    expect(textOf(`${path}.rest`)).toBe('rest');
    await run('task-file2', 'echo more', { stdout: uri });
    expect(textOf(path).endsWith('more\n')).toBe(true);
  });

  it("go to docker's log files, which are rotated", async () => {
    const path = join(ground.directory, 'json.log');
    const uri = `json-file://${path}?max-size=2000&max-file=3`;
    await run('task-json', 'i=0; while [ $i -lt 100 ]; do echo line $i; echo e $i >&2; i=$((i+1)); done; printf rest', {
      stdout: uri,
      stderr: uri,
    });
    const names = readdirSync(ground.directory).filter((name) => name.startsWith('json.log'));
    expect(names.sort()).toEqual(['json.log', 'json.log.1', 'json.log.2']);
    const records = textOf(path)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ log }) => log)).toContain('rest');
    for (const name of names) expect(readFileSync(join(ground.directory, name)).length).toBeGreaterThan(0);
  });

  it('go to a logger, which has written all when the task is deleted', async () => {
    const logger = join(ground.directory, 'logger');
    const log = join(ground.directory, 'logged');
    writeFileSync(
      logger,
      `#!/bin/sh\nenv >&2 2>/dev/null; echo "$* $CONTAINER_ID $CONTAINER_NAMESPACE" > ${log}\nexec 5>&-\nsleep 0.2; cat <&3 >> ${log}\ncat <&4 >> ${log}\n`,
    );
    chmodSync(logger, 0o755);
    const uri = `binary://${logger}?first=1&second=a%20b`;
    expect(await run('task-logger', 'echo out; echo err >&2', { stdout: uri, stderr: uri })).toBe(0);
    expect(textOf(log)).toBe('first 1 second a b task-logger test\nout\nerr\n');
  });

  it('do not kill a container whose logger dies', async () => {
    const logger = join(ground.directory, 'dying');
    writeFileSync(logger, '#!/bin/sh\nprintf x >&5\nexit 0\n');
    chmodSync(logger, 0o755);
    const uri = `binary-v2://${logger}`;
    expect(await run('task-dying', 'sleep 0.2; echo out; echo err >&2; exit 4', { stdout: uri, stderr: uri })).toBe(4);
  });

  it('need a logger that gets ready', async () => {
    const uri = 'binary-v2:///bin/true';
    await expect(run('task-unready', 'true', { stdout: uri })).rejects.toMatchObject({ code: StatusCode.unavailable });
    await expect(run('task-nologger', 'true', { stdout: 'binary:///no/logger' })).rejects.toMatchObject({
      code: StatusCode.invalidArgument,
    });
  });

  it('are a terminal', async () => {
    const [stdin, stdout] = [ground.pipe('in'), ground.pipe('out')];
    const { client } = ground;
    const bundle = ground.bundle(
      args('sh', '-c', 'read line; echo "got $line"; test -t 1 && echo tty; stty size 2>/dev/null || busybox stty size'),
      (config) => {
        if (config.process !== undefined) config.process.terminal = true;
      },
    );
    await client.Create({ id: 'task-tty', bundle, stdin, stdout, terminal: true });
    const reader = new PipeReader(stdout);
    await client.ResizePty({ id: 'task-tty', width: 91, height: 33 });
    await client.Start({ id: 'task-tty' });
    const writer = openWriter(stdin);
    writeSync(writer.fd, 'hello\n');
    expect(await client.Wait({ id: 'task-tty' })).toMatchObject({ exitStatus: 0 });
    writer.close();
    await client.Delete({ id: 'task-tty' });
    expect((await reader.ended).replaceAll('\r', '')).toBe('hello\ngot hello\ntty\n33 91\n');
  });

  it('of an exec are apart, and its reader sees the end before it is deleted', async () => {
    const { client } = ground;
    await client.Create({ id: 'task-exec', bundle: ground.bundle() });
    await client.Start({ id: 'task-exec' });
    const stdout = ground.pipe('exec-out');
    await client.Exec({ id: 'task-exec', execId: 'e1', stdout, spec: shell('echo $$; exit 5') });
    expect(await client.State({ id: 'task-exec', execId: 'e1' })).toMatchObject({ status: 1, pid: 0 });
    const reader = new PipeReader(stdout);
    const { pid } = await client.Start({ id: 'task-exec', execId: 'e1' });
    expect(await client.Wait({ id: 'task-exec', execId: 'e1' })).toMatchObject({ exitStatus: 5 });
    expect(await reader.ended).toMatch(/^\d+\n$/);
    expect(await client.Delete({ id: 'task-exec', execId: 'e1' })).toMatchObject({ pid, exitStatus: 5 });
    expect(ground.history()).toEqual(['create task-exec', 'start task-exec', 'exec-added e1', 'exec-started e1', 'exit e1 5']);
  });

  it('of an exec with a terminal', async () => {
    const { client } = ground;
    await client.Create({ id: 'task-exec-tty', bundle: ground.bundle() });
    await client.Start({ id: 'task-exec-tty' });
    const stdout = ground.pipe('exec-out');
    const reader = new PipeReader(stdout);
    await client.Exec({ id: 'task-exec-tty', execId: 'e1', stdout, terminal: true, spec: shell('test -t 0 && echo tty') });
    await client.Start({ id: 'task-exec-tty', execId: 'e1' });
    expect(await client.Wait({ id: 'task-exec-tty', execId: 'e1' })).toMatchObject({ exitStatus: 0 });
    await client.Delete({ id: 'task-exec-tty', execId: 'e1' });
    expect(await reader.ended).toBe('tty\r\n');
  });
});
