/** tsctl at a terminal: its size, keys that mean something, programs that fill the screen. */

import { type ChildProcess, spawn } from 'node:child_process';
import { command, describeWith } from '../../.scripts/jest/requirement.ts';
import { createNodeSys } from '../../runtime/src/sys/node.ts';
import { Pty } from '../../runtime/test/pty.ts';
import { PATIENCE_MS, stageRequirements, TsctlStage, until } from './tsctl-stage.ts';

jest.setTimeout(PATIENCE_MS);

const CTRL_C = '\x03';
const CTRL_P_CTRL_Q = '\x10\x11';
const ESCAPE = '\x1b';
/** busybox's shell asks the terminal where its cursor is, after its prompt. */
const PROMPT = /[#$] (.\[6n)?$/;

describeWith([...stageRequirements, command('setsid')], 'tsctl at a terminal', () => {
  let stage: TsctlStage;
  let pty: Pty;

  beforeAll(async () => {
    stage = await TsctlStage.open();
  }, PATIENCE_MS);

  afterAll(() => stage.close(), PATIENCE_MS);

  beforeEach(() => {
    pty = new Pty(createNodeSys(), 30, 100);
  });
  afterEach(() => pty.close());

  /** With the terminal as its controlling one, as a shell would start it. */
  function atTerminal(...words: string[]): ChildProcess {
    const [program = '', ...args] = ['setsid', '--ctty', ...stage.enter, ...stage.line(...words)];
    return spawn(program, args, { env: stage.env, stdio: [pty.slave, pty.slave, pty.slave] });
  }

  /** The exit code. What it still says is read meanwhile: nobody can end who waits to write. */
  async function ended(child: ChildProcess): Promise<number | null> {
    await until(() => {
      pty.read();
      return child.exitCode !== null || child.signalCode !== null;
    });
    return child.exitCode;
  }

  it('has its size, follows it, gives ^C to the program, and ends with its exit code', async () => {
    const before = pty.modes();
    const script = 'trap "echo caught; exit 7" INT; while :; do s=$(stty size); [ "$s" = "$o" ] || echo "size $s"; o=$s; sleep 0.1; done';
    const child = atTerminal('run', '-it', '--rm', '--network', 'none', 'busybox', 'sh', '-c', script);
    pty.expect(/size 30 100\r/);
    pty.resize(40, 120);
    pty.expect(/size 40 120\r/);
    pty.type(CTRL_C);
    pty.expect(/caught\r/);
    expect(await ended(child)).toBe(7);
    expect(pty.modes()).toBe(before);
  });

  it('shows a program that fills the screen, key by key', async () => {
    const child = atTerminal('run', '-it', '--name', 'editor', '--network', 'none', 'busybox', 'vi', '/tmp/text');
    // The last line of a screen of 30, addressed by its row.
    pty.expect(/\[30;1H/);
    pty.type('ihello from vi');
    pty.expect(/hello from vi/);
    pty.output = '';
    pty.type(ESCAPE);
    // Its last line says in which mode it is: keys that come at once with an escape would be one key.
    pty.expect(/- \/tmp\/text/);
    pty.type(':wq\r');
    expect(await ended(child)).toBe(0);
    expect(stage.succeeds('diff', 'editor')).toContain('A /tmp/text\n');
    expect(stage.succeeds('cp', 'editor:/tmp/text', '-')).toContain('hello from vi\n');
    stage.succeeds('rm', 'editor');
  });

  it('is left by ^P^Q, and come back to', async () => {
    const first = atTerminal('run', '-it', '--name', 'left', '--network', 'none', 'busybox', 'sh');
    pty.expect(PROMPT);
    pty.output = '';
    pty.type('x=kept\n');
    pty.expect(PROMPT);
    pty.type(CTRL_P_CTRL_Q);
    expect(await ended(first)).toBe(0);
    expect(stage.succeeds('ps', '--format', '{{.Names}}', '--filter', 'name=left')).toBe('left\n');
    const second = atTerminal('attach', 'left');
    pty.output = '';
    // Whoever comes to a terminal sees nothing of what was there before.
    await until(() => {
      pty.type('echo "<$x>"\n');
      pty.read();
      return /\n<kept>\r/.test(pty.output);
    });
    pty.type('exit\n');
    expect(await ended(second)).toBe(0);
    stage.succeeds('rm', '-f', 'left');
  });
});
