/**
 * zstd, by the best of what there is: Node's zlib (22.15, 23.8 and later), the `zstd` command, and for reading a decoder in JavaScript.
 */

import { spawn, spawnSync } from 'node:child_process';
import { Duplex, Transform } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { ImageError } from '../base/errors.ts';

type Factory = (options?: object) => Transform;

const ZSTD_c_compressionLevel = 100;

export function createZstdDecompressor(): Transform {
  const native = zlibFactory('createZstdDecompress');
  return native === undefined ? new JavaScriptDecompressor() : new FrameByFrame(() => native({ chunkSize: 256 * 1024 }));
}

/** Throws ImageError `unsupported` where nothing can compress. */
export function createZstdCompressor(level: number): Transform {
  const native = zlibFactory('createZstdCompress');
  if (native !== undefined) return native({ params: { [ZSTD_c_compressionLevel]: level } });
  if (!hasCommand()) {
    throw new ImageError('unsupported', 'this Node cannot write zstd, and there is no zstd command', {
      hint: 'Use Node 22.15 or later, install zstd, or write gzip.',
    });
  }
  return throughCommand(['-q', '-c', '--no-check', '-T1', `-${level}`]);
}

/** Node's types of the oldest supported version do not know these functions. */
function zlibFactory(name: string): Factory | undefined {
  const factory: unknown = Reflect.get(zlib, name);
  return typeof factory === 'function' ? (factory as Factory) : undefined;
}

/**
 * Node's decompressor takes the end of a frame for the end of all, where input follows in the same chunk. Layers are written in many frames, by several
 * threads or to be read in parts: what a frame's decompressor has not consumed is given to a new one.
 */
class FrameByFrame extends Transform {
  readonly #begin: () => Transform;
  #frame: Transform | undefined;

  constructor(begin: () => Transform) {
    super();
    this.#begin = begin;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    this.#inflate(chunk).then(() => done(), done);
  }

  override _flush(done: (error?: Error) => void): void {
    if (this.#frame === undefined) done();
    else this.#ended(this.#frame, () => this.#frame?.end()).then(() => done(), done);
  }

  override _read(size: number): void {
    this.#frame?.resume();
    super._read(size);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#frame?.destroy();
    done(error);
  }

  async #inflate(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      const frame = this.#frame ?? this.#open();
      const before = consumedBy(frame);
      await new Promise<void>((resolve, reject) => {
        frame.once('error', reject);
        frame.write(rest, (error) => {
          frame.off('error', reject);
          if (error) reject(error);
          else resolve();
        });
      });
      const consumed = consumedBy(frame) - before;
      if (consumed === rest.length) return;
      await this.#ended(frame);
      this.#frame = undefined;
      rest = rest.subarray(consumed);
    }
  }

  #open(): Transform {
    const frame = this.#begin();
    frame.on('data', (bytes: Buffer) => {
      if (!this.push(bytes)) frame.pause();
    });
    this.#frame = frame;
    return frame;
  }

  /** Waits until all of a frame has been handed on. */
  async #ended(frame: Transform, start: () => void = () => undefined): Promise<void> {
    if (frame.readableEnded) return;
    await new Promise<void>((resolve, reject) => {
      frame.once('end', resolve).once('error', reject);
      start();
    });
  }
}

/** Bytes of the input that the decompressor is done with. */
function consumedBy(frame: Transform): number {
  const count: unknown = Reflect.get(frame, 'bytesWritten');
  if (typeof count !== 'number') throw new Error('the decompressor does not count what it has consumed');
  return count;
}

class JavaScriptDecompressor extends Transform {
  readonly #stream: Decompress;
  #isFrameOpen = false;

  constructor() {
    super();
    this.#stream = new Decompress((chunk) => {
      this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    });
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    this.#isFrameOpen = true;
    this.#run(chunk, false, done);
  }

  override _flush(done: (error?: Error) => void): void {
    if (this.#isFrameOpen) this.#run(new Uint8Array(), true, done);
    else done();
  }

  #run(chunk: Uint8Array, isLast: boolean, done: (error?: Error) => void): void {
    try {
      this.#stream.push(chunk, isLast);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

let isCommandThere: boolean | undefined;

function hasCommand(): boolean {
  isCommandThere ??= spawnSync('zstd', ['--version'], { stdio: 'ignore' }).status === 0;
  return isCommandThere;
}

/** The command as a stream. Its output ends only when it has succeeded. */
function throughCommand(args: readonly string[]): Transform {
  const child = spawn('zstd', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const stream = Duplex.from({ writable: child.stdin, readable: outputOf(child) });
  stream.once('close', () => child.kill());
  // A Duplex made of two pipes is used just as a Transform is: written to, ended, read.
  return stream as unknown as Transform;
}

async function* outputOf(child: ReturnType<typeof spawn>): AsyncGenerator<Uint8Array, void, void> {
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  if (child.stdout === null) throw new Error('zstd was started without a pipe');
  yield* child.stdout as AsyncIterable<Uint8Array>;
  const status = await closed;
  if (status !== 0) throw new Error(`zstd ended with ${status ?? 'a signal'}`);
}
