import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventsForwarding } from '../../../specs/containerd/services.ts';
import { taskEventAny } from '../../../specs/containerd/topics.ts';
import { implement } from '../base/service.ts';
import { ServiceTable } from '../base/service-table.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { ServerConnection } from '../ttrpc/server-connection.ts';
import { Forwarder } from './forwarder.ts';
import { Journal } from './journal.ts';

let folder: string;
let address: string;
let server: Server | undefined;
let sockets: Socket[];
let topics: string[];
let answer: (topic: string) => Promise<void>;
let log: string[];
let forwarders: Forwarder[];

const startServer = () =>
  new Promise<void>((resolve) => {
    const services = new ServiceTable([
      implement(EventsForwarding, {
        Forward: async ({ envelope }) => {
          await answer(envelope?.topic ?? '');
          topics.push(`${envelope?.namespace} ${envelope?.topic} ${envelope?.event?.type_url}`);
          return {};
        },
      }),
    ]);
    server = createServer((socket) => {
      sockets.push(socket);
      new ServerConnection(socket, services);
    });
    server.listen(address, resolve);
  });

const stopServer = async () => {
  const stopped = server;
  server = undefined;
  for (const socket of sockets) socket.destroy();
  if (stopped !== undefined) await new Promise((resolve) => stopped.close(resolve));
};

const start = () => {
  const forwarder = new Forwarder({
    journal: join(folder, 'events'),
    namespace: 'ns',
    address: `unix://${address}`,
    log: (text) => log.push(text),
  });
  forwarders.push(forwarder);
  return forwarder;
};

const paused = { topic: '/tasks/paused', event: taskEventAny('/tasks/paused', { containerId: 'c' }) } as const;
const resumed = { topic: '/tasks/resumed', event: taskEventAny('/tasks/resumed', { containerId: 'c' }) } as const;
const PAUSED = 'ns /tasks/paused containerd.events.TaskPaused';
const RESUMED = 'ns /tasks/resumed containerd.events.TaskResumed';

const until = async (condition: () => boolean) => {
  for (let turn = 0; !condition() && turn < 2000; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(condition()).toBe(true);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'events-'));
  address = join(folder, 's');
  sockets = [];
  topics = [];
  log = [];
  forwarders = [];
  answer = async () => undefined;
});

afterEach(async () => {
  for (const forwarder of forwarders) forwarder.close();
  await stopServer();
  rmSync(folder, { recursive: true });
});

describe('events', () => {
  it('arrive in order, one after the other', async () => {
    let running = 0;
    answer = async () => {
      running++;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    };
    await startServer();
    const forwarder = start();
    for (let count = 0; count < 20; count++) forwarder.publish(count % 2 === 0 ? paused : resumed);
    await until(() => forwarder.waiting === 0);
    expect(topics).toEqual(Array.from({ length: 20 }, (_, count) => (count % 2 === 0 ? PAUSED : RESUMED)));
  });

  it('wait for containerd, and are taken up by the next process', async () => {
    const first = start();
    first.publish(paused);
    first.publish(resumed);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(first.waiting).toBe(2);
    first.close();
    const second = start();
    expect(second.waiting).toBe(2);
    await startServer();
    second.useAddress(address);
    await until(() => second.waiting === 0);
    second.publish(paused);
    await until(() => second.waiting === 0);
    expect(topics).toEqual([PAUSED, RESUMED, PAUSED]);
    second.close();
    expect(start().waiting).toBe(0);
  });

  it('survive a restart of containerd in the middle, none lost and none doubled', async () => {
    await startServer();
    const forwarder = start();
    forwarder.publish(paused);
    await until(() => topics.length === 1);
    // The connection breaks before the answer, and before the event was taken.
    answer = () => new Promise(() => undefined);
    forwarder.publish(resumed);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await stopServer();
    answer = async () => undefined;
    await startServer();
    await until(() => forwarder.waiting === 0);
    expect(topics).toEqual([PAUSED, RESUMED]);
  });

  it('that containerd refuses for good do not stop the others', async () => {
    await startServer();
    const forwarder = start();
    answer = async (topic) => {
      if (topic === '/tasks/paused') throw new StatusError(StatusCode.invalidArgument, 'no such topic');
    };
    forwarder.publish(paused);
    forwarder.publish(resumed);
    await until(() => topics.length === 1);
    expect(topics).toEqual([RESUMED]);
    expect(log).toEqual(['containerd refuses an event, which is dropped: no such topic']);
  });
});

describe('the journal', () => {
  const bytes = (text: string) => Buffer.from(text);
  const contents = (journal: Journal) => {
    const texts: string[] = [];
    for (let record = journal.first; record !== undefined; record = journal.first) {
      texts.push(Buffer.from(record.bytes).toString());
      journal.take();
    }
    return texts;
  };

  it('drops a record that was cut off, and goes on', () => {
    const path = join(folder, 'j');
    const journal = new Journal(path);
    journal.append(bytes('one'));
    journal.append(bytes('two'));
    journal.close();
    truncateSync(join(path, 'records'), 2 * 15 - 1);
    const second = new Journal(path);
    second.append(bytes('three'));
    second.close();
    expect(contents(new Journal(path))).toEqual(['one', 'three']);
  });

  it('does not give again what was taken, whether or not the records are still there', () => {
    const path = join(folder, 'j');
    const journal = new Journal(path);
    for (const text of ['one', 'two', 'three']) journal.append(bytes(text));
    journal.take();
    journal.take();
    journal.close();
    const second = new Journal(path);
    expect(second.length).toBe(1);
    expect(contents(second)).toEqual(['three']);
    second.append(bytes('four'));
    second.close();
    expect(contents(new Journal(path))).toEqual(['four']);
  });

  it('begins anew when its files are nonsense', () => {
    const path = join(folder, 'j');
    new Journal(path).close();
    writeFileSync(join(path, 'records'), 'nonsense');
    writeFileSync(join(path, 'taken'), 'x');
    const journal = new Journal(path);
    journal.append(bytes('one'));
    expect(contents(journal)).toEqual(['one']);
  });
});
