/** A container's terminal at the user's, passed through by `run`. */
import { close, open, writeAll } from '../src/linux/files.ts';
import { O_RDONLY } from '../src/linux/open-flags.ts';
import { SIGWINCH } from '../src/linux/processes.ts';
import { Attached, drain, openNull, pipe } from './attached.ts';
import { onBothEngines } from './ground.ts';
import { Pty } from './pty.ts';

const MEGABYTE = 1024 * 1024;

onBothEngines('the terminal', (ground) => {
  let pty: Pty;
  let attached: Attached | undefined;

  beforeEach(() => {
    pty = new Pty(ground().sys);
  });
  afterEach(() => {
    attached?.dispose();
    attached = undefined;
    pty.close();
  });

  function sh(script: string, options: { readonly redirect?: { stdin?: number; stdout?: number; stderr?: number } } = {}): Attached {
    attached = Attached.sh(ground(), script, { pty, ...options });
    return attached;
  }

  it('is there, with what is printed and typed, and the exit status', () => {
    const run = sh('tty; read line; echo "got $line"; exit 5');
    pty.expect(/^\/dev\/(pts\/0|console)\r\n/m);
    pty.type('hello\r');
    pty.expect(/got hello\r\n/);
    expect(run.wait()).toBe(5);
    pty.read();
    // The container's terminal echoes, the user's does not: what is typed is seen once.
    expect(pty.output.match(/hello/g)).toHaveLength(2);
  });

  it('is raw meanwhile and afterwards as it was', () => {
    const before = pty.modes();
    const run = sh('echo ready; read line');
    pty.expect(/ready/);
    expect(pty.modes()).not.toBe(before);
    pty.type('\r');
    expect(run.wait()).toBe(0);
    expect(pty.modes()).toBe(before);
  });

  it('is as it was when the container cannot be started', () => {
    const before = pty.modes();
    attached = Attached.run(
      ground(),
      (config) => {
        config.process.args = ['/no/such/program'];
        config.process.terminal = true;
      },
      { pty },
    );
    expect(attached.wait()).toBe(1);
    pty.expect(/no such file or directory/);
    expect(pty.modes()).toBe(before);
  });

  it('is as it was when signals end the container', () => {
    const before = pty.modes();
    const run = sh('trap "" INT; echo ready; sleep 1000');
    pty.expect(/ready/);
    // They reach the container's init, which ignores them: what pid 1 does not handle does not harm it.
    run.signal(15);
    run.signal(1);
    ground().tsrun(['kill', run.id, 'KILL']);
    expect(run.wait()).toBe(137);
    expect(pty.modes()).toBe(before);
  });

  it('gives ^C to the container', () => {
    const run = sh('trap "echo interrupted; exit 3" INT; echo ready; while :; do sleep 0.1; done');
    pty.expect(/ready/);
    pty.type('\x03');
    pty.expect(/interrupted/);
    expect(run.wait()).toBe(3);
  });

  it('has the size of the user’s, also when that changes', () => {
    pty.resize(33, 101);
    const run = sh('trap "stty size" WINCH; stty size; while :; do sleep 0.1; done');
    // At once, without a change from another size.
    pty.expect(/^33 101\r\n/);
    pty.resize(40, 120);
    pty.expect(/40 120/);
    // It changes nothing, and is not passed on: the container hears only of a size that has changed.
    run.signal(SIGWINCH);
    ground().tsrun(['kill', run.id, 'KILL']);
    run.wait();
  });

  it('loses nothing of a large output, nor of its end', () => {
    const run = sh('head -c 3000000 /dev/zero | tr "\\0" "x"; echo; echo end');
    const status = run.wait(() => {
      while (pty.read());
    });
    while (pty.read());
    expect(status).toBe(0);
    expect(pty.output.length).toBe(3_000_000 + 2 + 5);
    expect(pty.output).toMatch(/x\r\nend\r\n$/);
  });

  it('writes to a pipe without carriage returns, all of it', () => {
    const [reader, writer] = pipe(ground());
    const run = sh('head -c 10485760 /dev/zero | tr "\\0" "\\n"', { redirect: { stdout: writer } });
    close(ground().sys, writer);
    const { length } = drain(ground(), reader);
    expect(run.wait()).toBe(0);
    expect(length).toBe(10 * MEGABYTE);
    close(ground().sys, reader);
  });

  it('hangs up when nobody reads the output', () => {
    const [reader, writer] = pipe(ground());
    const run = sh('trap "exit 9" HUP; while :; do echo y; done', { redirect: { stdout: writer } });
    close(ground().sys, writer);
    close(ground().sys, reader);
    expect(run.wait()).toBe(9);
  });

  it('copies standard input that is no terminal, and its end', () => {
    const [reader, writer] = pipe(ground());
    const run = sh('stty -echo; echo ready; cat; echo end', { redirect: { stdin: reader } });
    close(ground().sys, reader);
    pty.expect(/ready/);
    writeAll(ground().sys, writer, 'one\ntwo', 'pipe');
    close(ground().sys, writer);
    pty.expect(/one\r\ntwoend/);
    expect(run.wait()).toBe(0);
  });

  it('does without a terminal of the user’s', () => {
    const nothing = openNull(ground());
    const [reader, writer] = pipe(ground());
    attached = Attached.run(
      ground(),
      (config) => {
        config.process.args = ['sh', '-c', 'test -t 0 && test -t 1 && echo yes'];
        config.process.terminal = true;
      },
      { redirect: { stdin: nothing, stdout: writer } },
    );
    close(ground().sys, writer);
    expect(attached.wait()).toBe(0);
    expect(drain(ground(), reader).length).toBe('yes\n'.length);
    for (const fd of [nothing, reader]) close(ground().sys, fd);
  });

  it('stays when the container closes it and opens it again', () => {
    const run = sh('exec 0<&- 1>&- 2>&-; sleep 0.3; exec 1>/dev/console; echo again');
    pty.expect(/again/);
    expect(run.wait()).toBe(0);
  });

  it('reads a regular file to its end', () => {
    const file = open(ground().sys, '/etc/passwd', { flags: O_RDONLY });
    const run = sh('stty -echo; cat > /dev/null; echo end', { redirect: { stdin: file } });
    close(ground().sys, file);
    pty.expect(/end/);
    expect(run.wait()).toBe(0);
  });

  describe('of exec', () => {
    it('is passed through in the same way', () => {
      const before = pty.modes();
      const container = ground().create((config) => {
        config.process.args = ['sleep', '1000'];
      });
      ground().start(container);
      pty.resize(12, 34);
      const script = 'stty size; read line; echo "got $line"; trap "exit 6" INT; echo ready; while :; do sleep 0.1; done';
      attached = Attached.exec(ground(), container.id, ['sh', '-c', script], { pty, flags: ['--tty'] });
      pty.expect(/^12 34\r\n/);
      pty.type('hello\r');
      pty.expect(/got hello\r\n/);
      pty.expect(/ready/);
      expect(pty.modes()).not.toBe(before);
      pty.type('\x03');
      expect(attached.wait()).toBe(6);
      expect(pty.modes()).toBe(before);
      ground().end(container);
    });
  });
});
