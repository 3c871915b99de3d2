import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { hold } from './hold.ts';

const sys = createNodeSys();
const REQUEST = { id: 'c1', ttrpcAddress: '/run/c.sock.ttrpc' };
const ANSWER_MS = 20_000;

/** A server on a thread of its own, since the call waits: what it does with a connection is given as text. */
const SERVER = `
const { workerData, parentPort } = require('node:worker_threads');
const serve = new Function('socket', 'frame', workerData.serve);
const frame = (...bytes) => Buffer.from([0, 0, 0, bytes.length, 0, 0, 0, 1, 2, 0, ...bytes]);
require('node:net').createServer((socket) => {
  socket.on('error', () => undefined);
  serve(socket, frame);
}).listen(workerData.path, () => parentPort.postMessage('ready'));
`;

let folder: string;
let path: string;
let server: Worker | undefined;

async function listen(serve: string): Promise<void> {
  server = new Worker(SERVER, { eval: true, workerData: { path, serve } });
  await new Promise((done) => server?.once('message', done));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hold-'));
  path = join(folder, 's');
});

afterEach(async () => {
  await server?.terminate();
  server = undefined;
  rmSync(folder, { recursive: true });
});

describe('asking the warm process to stay', () => {
  it('is answered', async () => {
    await listen("socket.once('data', (data) => socket.write(frame(0x12, 0)))");
    expect(hold(sys, path, REQUEST, ANSWER_MS)).toBe('held');
  });

  it('finds nobody', () => {
    expect(hold(sys, path, REQUEST, ANSWER_MS)).toBe('absent');
    writeFileSync(path, '');
    expect(hold(sys, path, REQUEST, ANSWER_MS)).toBe('absent');
  });

  it.each([
    ['closes at once', 'socket.destroy()'],
    ['closes when it is asked', "socket.once('data', () => socket.destroy())"],
    ['closes within its answer', "socket.once('data', () => socket.end(frame(0x12, 0).subarray(0, 5)))"],
    ['says that it is unavailable', "socket.once('data', () => socket.write(frame(0x0a, 2, 8, 14)))"],
  ])('finds one that ends: it %s', async (_, serve) => {
    await listen(serve);
    expect(hold(sys, path, REQUEST, ANSWER_MS)).toBe('ending');
  });

  it.each([
    ['refuses', "socket.once('data', () => socket.write(frame(0x0a, 5, 8, 13, 0x12, 1, 0x6e)))", 'refused: n', ANSWER_MS],
    ['speaks something else', "socket.write('HTTP/1.1 200 OK')", 'does not speak ttrpc', ANSWER_MS],
    ['says nothing', '', 'does not answer', 50],
  ])('fails with one that %s', async (_, serve, text, timeoutMs) => {
    await listen(serve);
    expect(() => hold(sys, path, REQUEST, timeoutMs)).toThrow(text);
  });
});
