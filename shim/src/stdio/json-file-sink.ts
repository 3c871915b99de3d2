/** docker's log files: records of both streams in the order in which they came, the file replaced when it is full. */
import { closeSync, fstatSync, renameSync, write } from 'node:fs';
import { isNodeError, messageOf } from '../base/node-error.ts';
import { openLogFile } from './file-sink.ts';
import { JsonLines, type StreamName } from './json-lines.ts';
import type { Sink } from './sink.ts';

const NEWLINE = 10;

export interface JsonFileOptions {
  readonly path: string;
  /** A record that does not fit any more goes to a new file. */
  readonly maxSizeBytes: number;
  /** The newest is `path`, those before it `path.1`, `path.2`, … */
  readonly maxFiles: number;
  /** What every record says beside its text. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly warn: (message: string) => void;
}

/** The files of one process; its streams write to them through `sink`. */
export class JsonFile {
  readonly #options: JsonFileOptions;
  #fd: number;
  #sizeBytes: number;
  #holders = 0;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(options: JsonFileOptions) {
    this.#options = options;
    this.#fd = openLogFile(options.path);
    this.#sizeBytes = fstatSync(this.#fd).size;
  }

  /** Where a stream is written to. The files are closed with the last of these. */
  sink(stream: StreamName): Sink {
    this.#holders++;
    const lines = new JsonLines(stream, this.#options.attributes);
    const now = () => new Date().toISOString();
    return {
      write: (chunk, ready) => {
        const records = lines.add(chunk, now());
        if (records === '') return true;
        this.#append(records).then(ready, ready);
        return false;
      },
      close: async () => {
        this.#holders--;
        const isLast = this.#holders === 0;
        await this.#append(lines.finish(now()));
        if (isLast) closeSync(this.#fd);
      },
    };
  }

  /** What does not fit on a full disk is lost, and said once: the container goes on. */
  #append(records: string): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        for (const part of this.#parts(records)) await this.#write(part);
        this.#failed = false;
      } catch (error) {
        if (!this.#failed) this.#options.warn(`${this.#options.path}: output is lost: ${messageOf(error)}`);
        this.#failed = true;
      }
    });
    return this.#writing;
  }

  /** As many records at once as fit into the file: a record is never in two files. */
  *#parts(records: string): Generator<Buffer> {
    const bytes = Buffer.from(records);
    for (let start = 0; start < bytes.length; ) {
      const room = this.#options.maxSizeBytes - this.#sizeBytes;
      let end = bytes.length;
      if (end - start > room) {
        const last = bytes.lastIndexOf(NEWLINE, start + Math.max(room, 1) - 1);
        // Not even one: then the first, to a new file.
        end = last >= start ? last + 1 : bytes.indexOf(NEWLINE, start) + 1;
      }
      yield bytes.subarray(start, end);
      start = end;
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > this.#options.maxSizeBytes) this.#rotate();
    for (let start = 0; start < bytes.length; ) start += await writeOnce(this.#fd, bytes.subarray(start));
    this.#sizeBytes += bytes.length;
  }

  #rotate(): void {
    const { path, maxFiles } = this.#options;
    for (let index = maxFiles - 1; index > 0; index--) renameIfThere(index === 1 ? path : `${path}.${index - 1}`, `${path}.${index}`);
    // The new file first: when it cannot be had, the old one goes on.
    const fd = openLogFile(maxFiles === 1 ? `${path}.new` : path);
    if (maxFiles === 1) renameIfThere(`${path}.new`, path);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#sizeBytes = 0;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isNodeError(error, 'ENOENT')) throw error;
  }
}

function writeOnce(fd: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}
