/** Keys as ssh-keygen makes them, and OpenSSH's programs as the agent's clients. */

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { command, describeWith } from '../../../../.scripts/jest/requirement.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../store/testing.ts';
import { serveAgent } from '../run/agent-socket.ts';
import { agentOf } from './provided-agent.ts';

describeWith([command('ssh-keygen'), command('ssh-add')], 'OpenSSH and the agent of a build', () => {
  let directory: TemporaryDirectory;
  const at = (name: string): string => join(directory.path, name);
  beforeAll(() => {
    directory = temporaryDirectory();
  });
  afterAll(() => directory[Symbol.dispose]());

  function makeKey(name: string, type: readonly string[], passphrase = ''): string {
    execFileSync('ssh-keygen', ['-q', '-t', ...type, '-N', passphrase, '-C', `comment of ${name}`, '-f', at(name)]);
    return at(name);
  }

  /** Not by spawnSync: the agent answers in this process. */
  async function run(
    file: string,
    args: readonly string[],
    input = '',
  ): Promise<{ status: number | null; stdout: string; stderr: string }> {
    const child = spawn(file, args, { env: { PATH: process.env['PATH'], SSH_AUTH_SOCK: at('agent') }, stdio: 'pipe' });
    const [stdout, stderr]: string[][] = [[], []];
    child.stdout.on('data', (chunk) => stdout?.push(String(chunk)));
    child.stderr.on('data', (chunk) => stderr?.push(String(chunk)));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const status = await new Promise<number | null>((done, fail) => {
      child.once('error', fail);
      child.once('close', done);
    });
    return { status, stdout: (stdout ?? []).join(''), stderr: (stderr ?? []).join('') };
  }

  it.each([
    ['ed25519', ['ed25519']],
    ['rsa', ['rsa', '-b', '2048']],
    ['rsa-pem', ['rsa', '-b', '2048', '-m', 'PEM']],
    ['ecdsa256', ['ecdsa', '-b', '256']],
    ['ecdsa384', ['ecdsa', '-b', '384']],
    ['ecdsa521', ['ecdsa', '-b', '521']],
    ['ecdsa-pem', ['ecdsa', '-b', '256', '-m', 'PEM']],
  ])('%s: listed, and signatures hold', async (name, type) => {
    const key = makeKey(name, type);
    const publicKey = readFileSync(`${key}.pub`, 'utf8');
    const close = await serveAgent({
      agent: agentOf([key]),
      path: at('agent'),
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      mode: 0o600,
    });
    try {
      const words = (text: string): string[] => text.split(' ').slice(0, 2);
      expect(words((await run('ssh-add', ['-L'])).stdout)).toEqual(words(publicKey));
      // With the public key alone there is nobody but the agent to sign.
      writeFileSync(at('only.pub'), publicKey);
      const signed = await run('ssh-keygen', ['-Y', 'sign', '-f', at('only.pub'), '-n', 'test'], 'content');
      expect(signed).toMatchObject({ status: 0 });
      writeFileSync(at('signature'), signed.stdout);
      writeFileSync(at('signers'), `me ${publicKey}`);
      const verify = ['-Y', 'verify', '-f', at('signers'), '-I', 'me', '-n', 'test', '-s', at('signature')];
      expect(await run('ssh-keygen', verify, 'content')).toMatchObject({ status: 0 });
      expect((await run('ssh-add', ['-D'])).status).toBe(1);
      expect((await run('ssh-add', [key])).status).toBe(1);
    } finally {
      close();
    }
  });

  it('a key with a passphrase is refused, with what to do', () => {
    const key = makeKey('locked', ['ed25519'], 'secret');
    expect(() => agentOf([key])).toThrow(`the private key in ${key} is encrypted, and builds do not ask for passphrases`);
  });

  it('what cannot be an agent is refused', async () => {
    const key = makeKey('good', ['ed25519']);
    expect(() => agentOf([at('missing')])).toThrow(/missing cannot be read: ENOENT/);
    expect(() => agentOf([`${key}.pub`])).toThrow('holds no private key that can be read');
    writeFileSync(at('long'), Buffer.alloc(200_000));
    expect(() => agentOf([at('long')])).toThrow('has 200000 bytes: it is no private key');
    const server = createServer();
    await new Promise<void>((done) => server.listen(at('socket'), done));
    chmodSync(at('socket'), 0o600);
    try {
      expect(agentOf([at('socket')])).toEqual({ socket: at('socket') });
      expect(() => agentOf([key, at('socket')])).toThrow("is an agent's socket: it cannot be given together with");
    } finally {
      server.close();
    }
  });
});
