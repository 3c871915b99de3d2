/** Debian's docker-registry on a loopback port of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_ATTEMPTS = 200;
const START_WAIT_MS = 25;

export interface BenchRegistry extends AsyncDisposable {
  /** As in a reference: `127.0.0.1:41234`. */
  readonly host: string;
}

/** Starts a registry that keeps its blobs in `directory`, which is removed at the end. */
export async function startRegistry(directory: string): Promise<BenchRegistry> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = `${directory}.yml`;
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${join(directory)}}}\nhttp: {addr: "${host}"}\n`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await listening(child, port);
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
      rmSync(config, { force: true });
    },
  };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt += 1) {
    if (failure !== undefined) throw new Error(`docker-registry does not start: ${failure.message}`);
    if (await answers(port)) return;
    await sleep(START_WAIT_MS);
  }
  throw new Error('docker-registry does not start');
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
