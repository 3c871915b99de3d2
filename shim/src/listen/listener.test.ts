import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { containerd } from '../../../specs/containerd/gen/task.js';
import { unary } from '../../../specs/containerd/service.ts';
import { Events } from '../../../specs/containerd/services.ts';
import { implement } from '../base/service.ts';
import { ServiceTable } from '../base/service-table.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { GrpcConnection } from '../grpc/client.ts';
import { TtrpcConnection } from '../ttrpc/client.ts';
import { Listener } from './listener.ts';

const { StateRequest, StateResponse } = containerd.task.v3;
const Small = {
  name: 'test.Small',
  methods: { State: unary(StateRequest, StateResponse), Wait: unary(StateRequest, StateResponse) },
} as const;

let folder: string;
let path: string;
let listener: Listener;
let log: string[];
let aborted: string[];

async function start(uid: number): Promise<void> {
  const services = new ServiceTable([
    implement(Small, {
      State: async ({ id }, { metadata }) => {
        if (id === 'missing') throw new StatusError(StatusCode.notFound, 'container missing not found');
        return { id, bundle: metadata.get('containerd-namespace') ?? '' };
      },
      Wait: ({ id }, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(id);
            reject(signal.reason);
          });
        }),
    }),
    implement(Events, {
      async *Subscribe({ filters }) {
        for (const topic of filters) yield { topic };
        if (filters.length === 0) throw new StatusError(StatusCode.internal, 'no filters');
      },
    }),
  ]);
  listener = new Listener(createNodeSys(), services, { uid, log: (text) => log.push(text) });
  await listener.listen({ path });
}

const me = process.getuid?.() ?? 0;
const NOBODY = 65_534;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'listener-'));
  path = join(folder, 's');
  log = [];
  aborted = [];
  await start(me);
});

afterEach(async () => {
  await listener.close();
  rmSync(folder, { recursive: true });
});

const until = async (condition: () => boolean) => {
  for (let turn = 0; !condition() && turn < 2000; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(condition()).toBe(true);
};

describe('one socket', () => {
  it('speaks ttrpc and gRPC', async () => {
    const ttrpc = new TtrpcConnection(connect(path));
    const grpc = new GrpcConnection(path);
    for (const client of [ttrpc.client(Small), grpc.client(Small), ttrpc.client(Small)]) {
      expect(await client.State({ id: 'a' }, { metadata: { 'containerd-namespace': 'n' } })).toMatchObject({ id: 'a', bundle: 'n' });
      await expect(client.State({ id: 'missing' })).rejects.toMatchObject({
        code: StatusCode.notFound,
        message: 'container missing not found',
      });
    }
    grpc.close();
    ttrpc.close();
    await until(() => listener.connections === 0);
  });

  it('streams over both', async () => {
    const ttrpc = new TtrpcConnection(connect(path));
    const grpc = new GrpcConnection(path);
    for (const client of [ttrpc.client(Events), grpc.client(Events)]) {
      const topics: string[] = [];
      for await (const { topic } of client.Subscribe({ filters: ['a', 'b'] })) topics.push(topic);
      expect(topics).toEqual(['a', 'b']);
      await expect(client.Subscribe({})[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: StatusCode.internal });
    }
    grpc.close();
    ttrpc.close();
  });

  it('tells handlers when their caller has gone or given up, over gRPC too', async () => {
    const grpc = new GrpcConnection(path);
    await grpc.client(Small).State({});
    await expect(grpc.client(Small).Wait({ id: 'late' }, { timeoutMs: 30 })).rejects.toMatchObject({ code: StatusCode.deadlineExceeded });
    await until(() => aborted.includes('late'));
    const controller = new AbortController();
    const wait = grpc.client(Small).Wait({ id: 'bored' }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(wait).rejects.toMatchObject({ code: StatusCode.canceled });
    await until(() => aborted.includes('bored'));
    await expect(grpc.client({ ...Small, name: 'test.Other' }).State({})).rejects.toMatchObject({ code: StatusCode.unimplemented });
    grpc.close();
  });

  it('closes on those who say nothing that it knows', async () => {
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('PRI * but not HTTP/2, by far: and long enough for it to be noticed');
    await until(() => socket.destroyed);
    const silent = connect(path);
    await until(() => listener.connections === 1);
    silent.end();
    await until(() => listener.connections === 0);
  });

  it('is closed to other users', async () => {
    await (me === 0 ? callAs(NOBODY) : callOnBehalfOf(me + 1));
    expect(log).toEqual([expect.stringContaining(`refused a connection of user ${me === 0 ? NOBODY : me}`)]);
  });

  /** A stranger calls. The socket's mode would keep it away before it is asked who it is. */
  async function callAs(uid: number): Promise<void> {
    chmodSync(folder, 0o755);
    chmodSync(path, 0o666);
    const script = "require('node:net').connect(process.argv[1]).on('close', () => process.exit(7)).resume()";
    const stranger = spawn(process.execPath, ['-e', script, path], { uid, gid: uid, stdio: 'ignore' });
    expect(await once(stranger, 'exit')).toEqual([7, null]);
  }

  /** Without root nobody can be somebody else: the listener takes us for a stranger. */
  async function callOnBehalfOf(uid: number): Promise<void> {
    await listener.close();
    await start(uid);
    const socket = connect(path);
    socket.resume();
    await until(() => socket.destroyed);
  }
});
