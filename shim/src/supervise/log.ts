/** Where a container's output is logged, as its log driver says. */

import { logAttributes } from '../container/log-attributes.ts';
import type { ContainerRecord } from '../container/record.ts';
import { parseBytes } from '../container/size.ts';
import { JsonFile } from '../stdio/json-file-sink.ts';
import type { Sink } from '../stdio/sink.ts';
import type { OutputStream } from './streams.ts';

/** Other than docker's, which fills the disk: the most reported fault of its default. */
const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;
const DEFAULT_FILES = 3;

export function logSinks(record: ContainerRecord, warn: (message: string) => void): Partial<Record<OutputStream, Sink>> {
  const { Type, Config } = record.HostConfig.LogConfig;
  if (Type === 'none') return {};
  const size = Config['max-size'];
  const file = new JsonFile({
    path: record.LogPath,
    maxSizeBytes: maxSize(size),
    maxFiles: Number(Config['max-file'] ?? DEFAULT_FILES),
    attributes: logAttributes(record, Config),
    warn,
  });
  return { stdout: file.sink('stdout'), stderr: file.sink('stderr') };
}

function maxSize(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MAX_BYTES;
  return text === '-1' ? Number.POSITIVE_INFINITY : parseBytes(text);
}
