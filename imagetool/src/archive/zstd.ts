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
  return native === undefined ? new JavaScriptDecompressor() : native({ chunkSize: 256 * 1024 });
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
