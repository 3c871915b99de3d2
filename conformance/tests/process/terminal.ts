import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { runCommand } from '../../harness/command.ts';
import type { Ground } from '../../harness/ground.ts';
import { hostCommand } from '../../harness/host.ts';
import type { ConfigPatch } from '../../harness/patch.ts';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('process/terminal', { needs: [hostCommand('script')] });
export const terminalTests = topic.tests;

/** Runs a shell script in a container with a terminal, at a terminal that script(1) makes. Returns what came out of the terminal. */
async function atTerminal(ground: Ground, script: string, patch: ConfigPatch = {}): Promise<string> {
  const bundle = ground.bundle({ 'process.terminal': true, 'process.args': ['sh', '-c', script], ...patch });
  const { path } = ground.runtime;
  const command = [path, '--root', ground.root, 'run', '--bundle', bundle.path, ground.id()].join(' ');
  const { stdout } = await runCommand('script', ['-qec', command, '/dev/null']);
  // script(1) types the end of its own input, which the terminal echoes.
  return stdout.replaceAll('\r', '').replaceAll('^@', '').trim();
}

/**
 * Starts a container whose terminal is sent to a socket. The message is never read: the descriptor in it stays open as long as the connection
 * does. The script writes to /result.
 */
async function detached(ground: Ground, script: string, patch: ConfigPatch = {}): Promise<string> {
  const socket = join(ground.directory, 'tty');
  const server = createServer({ pauseOnConnect: true });
  await new Promise<unknown>((resolve) => server.listen(socket, () => resolve(undefined)));
  const connections: { destroy(): unknown }[] = [];
  server.on('connection', (connection) => connections.push(connection));
  ground.atEnd(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  const args = ['sh', '-c', `{ ${script}; } >/result 2>&1`];
  const container = await ground.start(
    { 'process.terminal': true, 'process.args': args, ...patch },
    { flags: ['--console-socket', socket] },
  );
  await container.waitFor('stopped');
  return container.bundle.read('rootfs/result').trim();
}

const TERMINAL = ['config/process/terminal'] as const;

topic.test('streams: the three standard streams are a terminal', TERMINAL, async (ground) => {
  assert.equal(await atTerminal(ground, 'for n in 0 1 2; do test -t $n && echo tty; done'), 'tty\ntty\ntty');
});

topic.test('one: the three standard streams are the same terminal', TERMINAL, async (ground) => {
  assert.equal(await atTerminal(ground, 'for n in 0 1 2; do readlink /proc/$$/fd/$n; done | sort -u | wc -l'), '1');
});

topic.test('controlling: the terminal is the controlling one', TERMINAL, async (ground) => {
  assert.equal(await atTerminal(ground, 'echo through >/dev/tty'), 'through');
});

topic.test('console: /dev/console is the terminal', ['linux/devices/console'], async (ground) => {
  const out = await atTerminal(
    ground,
    'test -c /dev/console && [ "$(stat -L -c %t:%T /dev/console)" = "$(stat -L -c %t:%T /proc/$$/fd/0)" ] && echo same',
  );
  assert.equal(out, 'same');
});

topic.test('none: without a terminal no stream is one', TERMINAL, async (ground) => {
  assert.equal(await ground.sh('for n in 0 1 2; do test -t $n && echo tty; done; true'), '');
});

topic.test('console-size-ignored: a size without a terminal is ignored', ['config/process/console-size-ignored'], async (ground) => {
  assert.equal(await ground.sh('echo ran', { 'process.consoleSize': { height: 10, width: 20 } }), 'ran');
});

topic.test('detached: the terminal is sent to the console socket', TERMINAL, async (ground) => {
  assert.equal(await detached(ground, 'test -t 0 && echo tty'), 'tty');
});

topic.test('detached-size: a detached terminal has the size', ['config/process/console-size'], async (ground) => {
  assert.equal(await detached(ground, 'stty size <&0', { 'process.consoleSize': { height: 11, width: 22 } }), '11 22');
});

topic.test('detached-console: /dev/console of a detached container is its terminal', ['linux/devices/console'], async (ground) => {
  assert.equal(
    await detached(
      ground,
      'test -c /dev/console && [ "$(stat -L -c %t:%T /dev/console)" = "$(stat -L -c %t:%T /proc/$$/fd/0)" ] && echo same',
    ),
    'same',
  );
});

topic.test('no-socket: create with a terminal and without a socket is an error', ['runtime/create/cannot-apply'], (ground) =>
  ground.refuse({ 'process.terminal': true }),
);

topic.test('socket-missing: a console socket that is not there is an error', ['runtime/create/cannot-apply'], (ground) =>
  ground.refuse({ 'process.terminal': true }, { flags: ['--console-socket', join(ground.directory, 'nowhere')] }),
);
