/** The standard streams of a process, from its start to its end. */
import { close, open } from '../../../runtime/src/linux/files.ts';
import { O_RDWR } from '../../../runtime/src/linux/open-flags.ts';
import type { TerminalSize } from '../../../runtime/src/linux/terminal.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { openInput } from './named-pipe.ts';
import { parseStreamTarget } from './uri.ts';

export interface StreamUris {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessIo {
  /** For the process: standard input, output, error. They stay this object's, until `handOver`. */
  readonly stdio: readonly [number, number, number];
  /** The process has its descriptors, or never will: those of here are closed, so that its end can be told. */
  handOver(): void;
  /** No more input comes from here: when the client is gone as well, the process sees the end of its input. */
  closeStdin(): void;
  /** Without a terminal nothing happens. */
  resize(size: TerminalSize): void;
  /** The process has ended; what it has written is still on its way. */
  ended(): void;
  /** All that was written has come to where it goes, and nobody can write any more. */
  readonly drained: Promise<void>;
  /** Nothing is left of it. What is not drained is lost. */
  close(): Promise<void>;
}

export function openNothing(sys: Sys): number {
  return open(sys, '/dev/null', { flags: O_RDWR });
}

/** The input of a process: what it reads, and what keeps that from ending. */
export class StandardInput {
  readonly #sys: Sys;
  readonly reader: number;
  /** There is no client: the reader is /dev/null. */
  readonly isNothing: boolean;
  #keeper: number | undefined;

  /** @param uri a named pipe; '' is nothing to read */
  constructor(sys: Sys, uri: string, options: { readonly blocking: boolean }) {
    this.#sys = sys;
    const target = parseStreamTarget(uri, 'stdin');
    this.isNothing = target.kind === 'null';
    if (target.kind === 'null') this.reader = openNothing(sys);
    else if (target.kind === 'fifo') {
      const { reader, keeper } = openInput(sys, target.path, options);
      this.reader = reader;
      this.#keeper = keeper;
    } else throw new StatusError(StatusCode.invalidArgument, `stdin: ${JSON.stringify(uri)} is not a named pipe`);
  }

  /** Closes the writing end of here. */
  end(): void {
    if (this.#keeper !== undefined) close(this.#sys, this.#keeper);
    this.#keeper = undefined;
  }
}
