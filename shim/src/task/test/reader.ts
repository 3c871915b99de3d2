/** A client's end of a named pipe, read in the background. */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

export class PipeReader {
  readonly #socket: Socket;
  #text = '';
  /** All that came, once nobody has the pipe open for writing any more. */
  readonly ended: Promise<string>;

  constructor(path: string) {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (chunk: string) => {
      this.#text += chunk;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('end', () => resolve(this.#text));
    });
  }

  get text(): string {
    return this.#text;
  }

  async until(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 500; attempt++) {
      if (pattern.test(this.#text)) return this.#text;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${pattern} did not come; this did: ${JSON.stringify(this.#text)}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The client's end of a pipe that a process reads. Opened once the process's end is. */
export function openWriter(path: string): { readonly fd: number; close(): void } {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return { fd, close: () => closeSync(fd) };
}
