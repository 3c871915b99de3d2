/** The shim of this data root, as a client of its gRPC socket. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { TaskV3 } from '../../../specs/containerd/task.ts';
import { Supervise } from '../../../specs/tsctl/service.ts';
import type { Client } from '../base/service.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { placesOf } from '../bootstrap/places.ts';
import { fromStatus } from '../container/error-status.ts';
import { ContainerError } from '../container/errors.ts';
import { type Places, TSCTL_NAMESPACE } from '../container/places.ts';
import { GrpcConnection } from '../grpc/client.ts';

export interface Shim {
  readonly tasks: Client<typeof TaskV3>;
  readonly supervise: Client<typeof Supervise>;
  close(): void;
}

/** Names the shim of a data root: it takes the place of containerd's address, and tells the shim where its containers are. */
export function shimAddress(places: Places): string {
  return join(places.root, 'tsctl');
}

/** @throws ContainerError shim */
export async function openShim(places: Places, env: Readonly<Record<string, string | undefined>>): Promise<Shim> {
  const { socket } = placesOf({
    ...{ address: shimAddress(places), namespace: TSCTL_NAMESPACE },
    ...{ homeDirectory: env['TSRUN_SHIM_HOME'], socketDirectory: env['TSRUN_SHIM_SOCKETS'] },
  });
  if (!(await listens(socket))) await start(places, env);
  return clientOf(socket);
}

function clientOf(socket: string): Shim {
  const connection = new GrpcConnection(socket);
  return {
    tasks: withErrors(connection.client(TaskV3)),
    supervise: withErrors(connection.client(Supervise)),
    close: () => connection.close(),
  };
}

/** What the shim says went wrong, as what it is. */
function withErrors<C extends object>(client: C): C {
  return new Proxy(client, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => translated(Reflect.apply(method, target, args));
    },
  });
}

function translated(answer: unknown): unknown {
  if (answer instanceof Promise) return answer.catch((error: unknown) => Promise.reject(readable(error)));
  return isIterable(answer) ? translatedStream(answer) : answer;
}

async function* translatedStream(messages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  try {
    yield* messages;
  } catch (error) {
    throw readable(error);
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function readable(error: unknown): unknown {
  if (error instanceof StatusError && error.code === StatusCode.unavailable) {
    return new ContainerError('shim', `the process that holds the containers is gone: ${error.message}`, {
      hint: 'Containers may still run: the next command takes them up again.',
      cause: error,
    });
  }
  return fromStatus(error);
}

function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.on('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
}

/** Without containers it stays for the next one: a cold start takes longer than a container. */
const IDLE_SECONDS = '600';

const SHIM = 'containerd-shim-tsrun-v2';

async function start(places: Places, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const file = shimProgram(env);
  const child = spawn(file, ['-namespace', TSCTL_NAMESPACE, '-address', shimAddress(places), '-id', TSCTL_NAMESPACE, 'start'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // All containers of a data root have one, whatever is said to containerd's.
    env: { TSRUN_SHIM_IDLE_SECONDS: IDLE_SECONDS, ...env, TSRUN_SHIM_GROUP: undefined },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) {
    throw new ContainerError('shim', `the process that holds the containers could not be started: ${said.trim()}`, {
      hint: `It is ${file}.`,
    });
  }
}

/** Beside this command, as it is installed. @throws ContainerError shim */
function shimProgram(env: Readonly<Record<string, string | undefined>>): string {
  const beside = [dirname(process.argv[1] ?? ''), join(dirname(process.argv[1] ?? ''), 'bin')];
  const found = [...beside, ...(env['PATH'] ?? '').split(':')].map((directory) => join(directory, SHIM)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ContainerError('shim', `${SHIM} is not there, beside tsctl or in PATH`, { hint: 'npm run build makes both.' });
}
