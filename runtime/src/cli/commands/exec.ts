import { readFile } from '../../linux/files.ts';
import { exec } from '../../operations/exec.ts';
import { loadProcess } from '../../spec/load.ts';
import type { ValidProcess } from '../../spec/valid.ts';
import { agentContext } from '../agent-context.ts';
import { defineCommand } from '../command.ts';
import { parseGroup, parseUser } from '../user.ts';

/** What engines take for "the runtime itself failed". */
const FAILED = 255;

export const execCommand = defineCommand({
  name: 'exec',
  flags: {
    process: { kind: 'text', short: 'p' },
    detach: { kind: 'switch', short: 'd' },
    tty: { kind: 'switch', short: 't' },
    'pid-file': { kind: 'text' },
    'console-socket': { kind: 'text' },
    'pidfd-socket': { kind: 'text' },
    cwd: { kind: 'text' },
    env: { kind: 'texts', short: 'e' },
    user: { kind: 'text', short: 'u' },
    'additional-gids': { kind: 'texts', short: 'g' },
    cap: { kind: 'texts', short: 'c' },
    'no-new-privs': { kind: 'switch' },
    'process-label': { kind: 'text' },
    apparmor: { kind: 'text' },
    'preserve-fds': { kind: 'number' },
    cgroup: { kind: 'text' },
    'ignore-paused': { kind: 'switch' },
  },
  operands: [1, Number.POSITIVE_INFINITY],
  stopAtOperand: true,
  errorPrefix: 'exec failed',
  errorStatus: FAILED,
  run: (invocation) => {
    const { sys, flags, operands } = invocation;
    const [id = '', ...args] = operands;
    const context = agentContext(invocation, flags['preserve-fds']);
    let process: ValidProcess | undefined;
    if (flags.process !== undefined) {
      const loaded = loadProcess(readFile(sys, flags.process));
      for (const { path, message } of loaded.warnings) context.warn(`process: ${path}: ${message}`);
      process = loaded.process;
    }
    return exec(context, {
      id,
      args,
      process,
      detach: flags.detach,
      tty: flags.tty,
      pidFile: flags['pid-file'],
      consoleSocketPath: flags['console-socket'],
      pidfdSocketPath: flags['pidfd-socket'],
      cwd: flags.cwd,
      env: flags.env,
      user: flags.user === undefined ? undefined : parseUser(flags.user),
      additionalGids: flags['additional-gids'].map(parseGroup),
      capabilities: flags.cap,
      noNewPrivileges: flags['no-new-privs'] ? true : undefined,
      processLabel: flags['process-label'],
      apparmor: flags.apparmor,
      cgroup: flags.cgroup,
      ignorePaused: flags['ignore-paused'],
    });
  },
});
