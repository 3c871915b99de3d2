/** A container's streams on this process's own, from its start or from now on until its end, or until the user leaves it. */

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ContainerRecord } from '../../container/record.ts';
import type { Context } from '../context.ts';
import { DEFAULT_DETACH_KEYS } from './detach-keys.ts';
import { forwardInput } from './input.ts';
import { forwardSignals, watchSize } from './signals.ts';

export interface AttachOptions {
  readonly record: ContainerRecord;
  /** Start it as well. */
  readonly start: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: string | undefined;
  readonly proxySignals: boolean;
}

/** `detached`: the user left it, and it goes on. */
export type AttachResult = { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'detached' };

/** @throws ContainerError, also for a start that failed */
export async function attachSession(context: Context, options: AttachOptions): Promise<AttachResult> {
  const { record } = options;
  const { supervise, tasks } = await context.shim();
  const sys = await context.sys();
  const leave = new AbortController();
  const { rows = 0, columns = 0 } = process.stdout.isTTY ? process.stdout : {};
  const { stdin, stdout, stderr, start } = options;
  const messages = supervise.Attach({ id: record.Id, stdin, stdout, stderr, start, rows, columns }, { signal: leave.signal });
  const cleanups: (() => void)[] = [];
  let isDetached = false;
  let isSetUp = false;
  const setUp = (session: number) => {
    isSetUp = true;
    const detach = () => {
      isDetached = true;
      leave.abort();
    };
    if (stdin)
      cleanups.push(
        forwardInput(inputTo(context, record.Id, session, detach), {
          sys,
          tty: record.Config.Tty,
          detachKeys: options.detachKeys ?? DEFAULT_DETACH_KEYS,
        }),
      );
    const resize = ({ rows: height, columns: width }: { rows: number; columns: number }) => {
      tasks.ResizePty({ id: record.Id, width, height }).catch(() => undefined);
    };
    if (record.Config.Tty) cleanups.push(watchSize(resize));
    if (options.proxySignals && !(record.Config.Tty && process.stdin.isTTY))
      cleanups.push(forwardSignals((signal) => supervise.Kill({ id: record.Id, signal })));
  };
  let session = 0;
  try {
    for await (const message of messages) {
      session ||= Number(message.session);
      if (!isSetUp && (message.started || !start)) setUp(session);
      if (message.stdout.length > 0) await write(process.stdout, message.stdout);
      if (message.stderr.length > 0) await write(process.stderr, message.stderr);
      if (message.exit !== null && message.exit !== undefined) return { kind: 'exited', code: message.exit.code ?? 0 };
    }
  } catch (error) {
    if (!isDetached) throw error;
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
  return isDetached ? { kind: 'detached' } : { kind: 'exited', code: 0 };
}

function inputTo(context: Context, id: string, session: number, detach: () => void) {
  return {
    write: async (data: Uint8Array) => {
      const { supervise } = await context.shim();
      await supervise.Input({ id, session, data });
    },
    end: async () => {
      const { supervise } = await context.shim();
      await supervise.Input({ id, session, end: true });
    },
    detach,
  };
}

async function write(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain');
}
