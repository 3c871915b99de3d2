import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, runs } from '../../../.scripts/jest/fuzz.ts';
import { ttrpc } from '../../../specs/containerd/gen/containerd.js';
import { containerd } from '../../../specs/containerd/gen/task.js';
import { Events } from '../../../specs/containerd/services.ts';
import { TaskV2 } from '../../../specs/containerd/task.ts';
import { type Handlers, implement } from '../base/service.ts';
import { ServiceTable } from '../base/service-table.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { TtrpcConnection } from './client.ts';
import { encodeFrame, type Frame, FrameFlag, FrameReader, FrameType, MAX_FRAME_BYTES } from './frame.ts';
import { ServerConnection } from './server-connection.ts';

const { Request, Response } = ttrpc;

let folder: string;
let path: string;
let server: Server;
let sockets: Socket[];
let connections: ServerConnection[];
let waits: { id: string; end: () => void; signal: AbortSignal }[];

const unused = async (): Promise<never> => {
  throw new StatusError(StatusCode.unimplemented, 'not in this test');
};

const task: Handlers<typeof TaskV2> = {
  State: async ({ id }) => {
    if (id === 'missing') throw new StatusError(StatusCode.notFound, `container ${id} not found`);
    if (id === 'broken') throw new TypeError('a mistake');
    if (id === 'large') return { bundle: 'x'.repeat(MAX_FRAME_BYTES) };
    return { id, pid: 7, bundle: 'y'.repeat(id === 'half' ? 1 << 20 : 1) };
  },
  Wait: ({ id }, { signal }) => new Promise((resolve) => waits.push({ id, signal, end: () => resolve({ exitStatus: 3 }) })),
  Connect: async (_, { metadata }) => ({ version: metadata.get('containerd-namespace-ttrpc') ?? '' }),
  Create: unused,
  Start: unused,
  Delete: unused,
  Pids: unused,
  Pause: unused,
  Resume: unused,
  Checkpoint: unused,
  Kill: unused,
  Exec: unused,
  ResizePty: unused,
  CloseIO: unused,
  Update: unused,
  Stats: unused,
  Shutdown: unused,
};

const events: Handlers<typeof Events> = {
  async *Subscribe({ filters }) {
    for (const topic of filters) {
      if (topic === 'fail') throw new StatusError(StatusCode.internal, 'half way');
      yield { topic };
    }
  },
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ttrpc-'));
  path = join(folder, 's');
  sockets = [];
  connections = [];
  waits = [];
  const services = new ServiceTable([implement(TaskV2, task), implement(Events, events)]);
  server = createServer((socket) => {
    sockets.push(socket);
    connections.push(new ServerConnection(socket, services));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const open = () => {
  const socket = connect(path);
  sockets.push(socket);
  return socket;
};

const until = async (condition: () => boolean) => {
  for (let turn = 0; !condition() && turn < 2000; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(condition()).toBe(true);
};

/** What a raw client gets for `bytes`, in frames. */
async function talk(bytes: Uint8Array, count: number): Promise<(Frame & { status?: { code: number; message: string } })[]> {
  const socket = open();
  const reader = new FrameReader();
  const frames: Frame[] = [];
  socket.on('data', (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) if ('payload' in frame) frames.push(frame);
  });
  socket.write(bytes);
  await until(() => frames.length >= count);
  return frames.map((frame) => {
    const status = frame.type === FrameType.response ? Response.decode(frame.payload).status : undefined;
    return status ? { ...frame, status: { code: status.code ?? 0, message: status.message ?? '' } } : frame;
  });
}

const requestOf = (method: string, stream: number, { service = 'containerd.task.v2.Task', flags = 0, payload = Buffer.alloc(0) } = {}) =>
  encodeFrame({ stream, type: FrameType.request, flags }, Request.encode({ service, method, payload }).finish());

describe('a call', () => {
  it('is answered, and others while it waits', async () => {
    const client = new TtrpcConnection(open()).client(TaskV2);
    const wait = client.Wait({ id: 'c1' });
    expect(await client.State({ id: 'c1' })).toMatchObject({ id: 'c1', pid: 7 });
    waits[0]?.end();
    expect((await wait).exitStatus).toBe(3);
    expect(connections[0]?.calls).toBe(0);
  });

  it('fails with the status of its handler', async () => {
    const client = new TtrpcConnection(open()).client(TaskV2);
    await expect(client.State({ id: 'missing' })).rejects.toMatchObject({
      code: StatusCode.notFound,
      message: 'container missing not found',
    });
    await expect(client.State({ id: 'broken' })).rejects.toMatchObject({ code: StatusCode.unknown, message: 'a mistake' });
    await expect(client.State({ id: 'large' })).rejects.toMatchObject({ code: StatusCode.resourceExhausted });
    expect((await client.State({ id: 'fine' })).id).toBe('fine');
  });

  it('carries metadata', async () => {
    const client = new TtrpcConnection(open()).client(TaskV2);
    const { version } = await client.Connect({}, { metadata: { 'Containerd-Namespace-Ttrpc': 'k8s.io' } });
    expect(version).toBe('k8s.io');
  });

  it('ends at its deadline, on both sides', async () => {
    const client = new TtrpcConnection(open()).client(TaskV2);
    await expect(client.Wait({ id: 'c1' }, { timeoutMs: 20 })).rejects.toMatchObject({ code: StatusCode.deadlineExceeded });
    await until(() => waits[0]?.signal.aborted === true && connections[0]?.calls === 0);
    const [frame] = await talk(
      encodeFrame(
        { stream: 1, type: FrameType.request, flags: 0 },
        Request.encode({ service: 'containerd.task.v2.Task', method: 'Wait', timeoutNano: 1_000_000 }).finish(),
      ),
      1,
    );
    expect(frame?.status?.code).toBe(StatusCode.deadlineExceeded);
  });

  it('can be cancelled', async () => {
    const client = new TtrpcConnection(open()).client(TaskV2);
    const controller = new AbortController();
    const wait = client.Wait({ id: 'c1' }, { signal: controller.signal });
    controller.abort();
    await expect(wait).rejects.toMatchObject({ code: StatusCode.canceled });
  });

  it('is aborted when the client goes, and fails when the server goes', async () => {
    const connection = new TtrpcConnection(open());
    const wait = connection.client(TaskV2).Wait({ id: 'c1' });
    wait.catch(() => undefined);
    await until(() => waits.length === 1);
    connection.close();
    await expect(wait).rejects.toMatchObject({ code: StatusCode.unavailable });
    await until(() => waits[0]?.signal.aborted === true);

    const other = new TtrpcConnection(open());
    const second = other.client(TaskV2).Wait({ id: 'c2' });
    second.catch(() => undefined);
    await until(() => waits.length === 2);
    for (const socket of sockets) socket.destroy();
    await expect(second).rejects.toMatchObject({ code: StatusCode.unavailable });
    await expect(other.client(TaskV2).State({})).rejects.toMatchObject({ code: StatusCode.unavailable });
  });
});

describe('a stream', () => {
  const topics = async (filters: string[]) => {
    const received: string[] = [];
    for await (const { topic } of new TtrpcConnection(open()).client(Events).Subscribe({ filters })) received.push(topic);
    return received;
  };

  it('gives every message and its end', async () => {
    expect(await topics(['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
    expect(await topics([])).toEqual([]);
  });

  it('fails after what came before', async () => {
    await expect(topics(['a', 'fail'])).rejects.toMatchObject({ code: StatusCode.internal, message: 'half way' });
  });
});

describe('a strange client', () => {
  it('is told what is not served', async () => {
    const frames = await talk(
      Buffer.concat([requestOf('State', 1, { service: 'x.Y' }), requestOf('constructor', 3), requestOf('Fly', 5)]),
      3,
    );
    expect(frames.map(({ stream, status }) => [stream, status?.code, status?.message])).toEqual([
      [1, StatusCode.unimplemented, 'service x.Y'],
      [3, StatusCode.unimplemented, 'method constructor of service containerd.task.v2.Task'],
      [5, StatusCode.unimplemented, 'method Fly of service containerd.task.v2.Task'],
    ]);
  });

  it('is told about wrong numbers, payloads and data', async () => {
    const data = encodeFrame({ stream: 9, type: FrameType.data, flags: 0 }, Buffer.from('x'));
    const bytes = Buffer.concat([
      requestOf('Connect', 2),
      requestOf('Connect', 5),
      requestOf('Connect', 5),
      requestOf('Connect', 3),
      encodeFrame({ stream: 7, type: FrameType.request, flags: 0 }, Buffer.from([0xff, 0xff])),
      requestOf('State', 9, { payload: Buffer.from([0x0a, 0x7f]) }),
      data,
      encodeFrame({ stream: 11, type: 77, flags: 0 }, Buffer.from('of a newer protocol')),
      requestOf('Connect', 13, { flags: FrameFlag.remoteClosed }),
    ]);
    const frames = await talk(bytes, 8);
    const codes = frames.map(({ stream, status }) => [stream, status?.code ?? 0]).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
    const { invalidArgument } = StatusCode;
    expect(codes).toEqual([
      [2, invalidArgument],
      [3, invalidArgument],
      [5, invalidArgument],
      [5, 0],
      [7, invalidArgument],
      [9, invalidArgument],
      [9, invalidArgument],
      [13, 0],
    ]);
  });

  it('may send too much', async () => {
    const huge = encodeFrame({ stream: 1, type: FrameType.request, flags: 0 }, Buffer.alloc(MAX_FRAME_BYTES + 1));
    const frames = await talk(Buffer.concat([huge, requestOf('Connect', 3)]), 2);
    expect(frames.map(({ stream, status }) => [stream, status?.code ?? 0])).toEqual([
      [1, StatusCode.resourceExhausted],
      [3, 0],
    ]);
  });

  it('may break off in the middle, or send noise: others are served', async () => {
    const half = open();
    half.write(requestOf('State', 1).subarray(0, 12));
    half.end();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const noisy = open();
        noisy.on('error', () => undefined);
        await new Promise((resolve) => noisy.write(bytes, resolve));
        noisy.destroy();
      }),
      runs(30),
    );
    expect((await new TtrpcConnection(open()).client(TaskV2).State({ id: 'a' })).id).toBe('a');
  });

  it('that does not read its answers is not read either', async () => {
    const slow = open();
    slow.pause();
    let written = 0;
    const payload = containerd.task.v3.StateRequest.encode({ id: 'half', execId: 'x'.repeat(64 << 10) }).finish();
    const half = ttrpc.Request.encode({ service: 'containerd.task.v2.Task', method: 'State', payload }).finish();
    for (let stream = 1; stream < 401; stream += 2) {
      slow.write(encodeFrame({ stream, type: FrameType.request, flags: 0 }, half), () => written++);
    }
    await until(() => sockets.some((socket) => socket.writableNeedDrain));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const buffered = sockets.reduce((sum, socket) => sum + socket.writableLength, 0);
    expect(written).toBeGreaterThan(0);
    // Of 200 answers of 1 MiB each.
    expect(buffered).toBeLessThan(16 << 20);
    expect((await new TtrpcConnection(open()).client(TaskV2).State({ id: 'a' })).id).toBe('a');
    let received = 0;
    const reader = new FrameReader();
    slow.on('data', (chunk: Buffer) => {
      received += [...reader.push(chunk)].length;
    });
    slow.resume();
    await until(() => received === 200);
  });
});
