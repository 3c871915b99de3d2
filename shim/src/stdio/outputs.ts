/** Where a process's output goes: sinks for the streams that this process copies, loggers for those that it does not. */

import { stat } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { messageOf } from '../base/node-error.ts';
import type { Poller } from '../base/poller.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { FileSink } from './file-sink.ts';
import { JsonFile } from './json-file-sink.ts';
import type { StreamName } from './json-lines.ts';
import { Logger } from './logger.ts';
import { isNamedPipe, openKeptWriter } from './named-pipe.ts';
import { PipeSink } from './pipe-sink.ts';
import type { Sink } from './sink.ts';
import { parseStreamTarget, type StreamTarget } from './uri.ts';

export interface OutputEnvironment {
  readonly sys: Sys;
  readonly poller: Poller;
  readonly namespace: string;
  readonly containerId: string;
  readonly warn: (message: string) => void;
}

/** `logger`: the stream is one of its pipes, which the process has itself. */
export type Output =
  | { readonly kind: 'null' }
  | { readonly kind: 'sink'; readonly sink: Sink }
  | { readonly kind: 'logger'; readonly logger: Logger };

export interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
}

const NOTHING: Output = { kind: 'null' };

/** Two streams that go to the same file, or the same logger, share it. @throws StatusError; then nothing is left open */
export async function openOutputs(environment: OutputEnvironment, stdout: string, stderr: string): Promise<Outputs> {
  const targets = { stdout: parseStreamTarget(stdout, 'stdout'), stderr: parseStreamTarget(stderr, 'stderr') };
  const first = await openOutput(environment, targets.stdout, 'stdout');
  try {
    if (stdout !== '' && stdout === stderr && shareable(environment.sys, targets.stdout)) {
      return { stdout: first.output, stderr: first.share() };
    }
    return { stdout: first.output, stderr: (await openOutput(environment, targets.stderr, 'stderr')).output };
  } catch (error) {
    await closeOutput(first.output);
    throw error;
  }
}

export async function closeOutput(output: Output): Promise<void> {
  if (output.kind === 'sink') await output.sink.close();
  if (output.kind === 'logger') {
    output.logger.handOver();
    await output.logger.finish();
  }
}

interface Opened {
  readonly output: Output;
  readonly share: () => Output;
}

/** A named pipe can be opened twice; the writers' order is then the pipe's. */
function shareable(sys: Sys, target: StreamTarget): boolean {
  return target.kind !== 'null' && !(target.kind === 'fifo' && isNamedPipe(sys, target.path));
}

async function openOutput(environment: OutputEnvironment, target: StreamTarget, stream: StreamName): Promise<Opened> {
  const { sys, poller, warn } = environment;
  switch (target.kind) {
    case 'null':
      return { output: NOTHING, share: () => NOTHING };
    case 'fifo': {
      // As with containerd's own shim, a path may be a file.
      if (!isNamedPipe(sys, target.path) && isThere(sys, target.path)) return sharedFile(target.path, warn);
      const sink = new PipeSink(sys, poller, openKeptWriter(sys, target.path));
      return { output: { kind: 'sink', sink }, share: () => ({ kind: 'sink', sink }) };
    }
    case 'file':
      return sharedFile(target.path, warn);
    case 'json-file': {
      const { path, maxSizeBytes, maxFiles } = target;
      const file = openedFile(path, () => new JsonFile({ path, maxSizeBytes, maxFiles, warn }));
      return { output: { kind: 'sink', sink: file.sink(stream) }, share: () => ({ kind: 'sink', sink: file.sink('stderr') }) };
    }
    case 'binary': {
      const { containerId, namespace } = environment;
      const { path, args, acknowledged } = target;
      const logger = await Logger.start(sys, poller, { path, args, acknowledged, containerId, namespace });
      return { output: { kind: 'logger', logger }, share: () => ({ kind: 'logger', logger }) };
    }
  }
}

function isThere(sys: Sys, path: string): boolean {
  return stat(sys, path) !== undefined;
}

function sharedFile(path: string, warn: (message: string) => void): Opened {
  const sink = openedFile(path, () => new FileSink(path, warn));
  return { output: { kind: 'sink', sink }, share: () => ({ kind: 'sink', sink: sink.share() }) };
}

function openedFile<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new StatusError(StatusCode.unknown, `${path} cannot be written to: ${messageOf(error)}`, error);
  }
}
