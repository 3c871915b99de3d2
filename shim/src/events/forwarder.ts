/**
 * Hands events to containerd, one after the other: its server works on requests side by side, so that only an answer tells that an event has its place.
 * While containerd is away, events wait in the journal.
 */
import { connect, type Socket } from 'node:net';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { EventsForwarding } from '../../../specs/containerd/services.ts';
import { nowInNanoseconds, timestampOf } from '../../../specs/containerd/timestamp.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { TtrpcConnection } from '../ttrpc/client.ts';
import { Journal } from './journal.ts';
import type { Publisher, TaskEvent } from './publisher.ts';

const { Envelope } = containerd.types;

/** After this, containerd is taken for dead, and asked again over a new connection. */
const ANSWER_MS = 30_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/** An event that containerd refuses so often is not wanted. */
const MOST_REFUSALS = 5;

export interface ForwarderOptions {
  /** Directory of the journal. */
  readonly journal: string;
  readonly namespace: string;
  /** containerd's ttrpc socket: a path, or `unix://` and a path. */
  readonly address: string;
  readonly log: (text: string) => void;
}

export class Forwarder implements Publisher {
  readonly #journal: Journal;
  readonly #options: ForwarderOptions;
  #address: string;
  #connection: TtrpcConnection | undefined;
  #running = false;
  #closed = false;
  #refusals = 0;
  #pause: { readonly timer: NodeJS.Timeout; readonly end: () => void } | undefined;

  /** Begins with what the process before has left. */
  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#address = options.address;
    this.#journal = new Journal(options.journal);
    this.#wake();
  }

  /** How many events wait for containerd. */
  get waiting(): number {
    return this.#journal.length;
  }

  /** containerd listens somewhere else now, or has come back. */
  useAddress(address: string): void {
    if (address !== this.#address) {
      this.#address = address;
      this.#disconnect();
    }
    this.#pause?.end();
  }

  publish({ topic, event }: TaskEvent): void {
    const { namespace, log } = this.#options;
    const timestamp = timestampOf(nowInNanoseconds());
    try {
      this.#journal.append(Envelope.encode({ timestamp, namespace, topic, event }).finish());
      this.#wake();
    } catch (error) {
      log(`event ${topic} is lost: ${textOf(error)}`);
    }
  }

  /** What has not been taken stays for the next process. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#pause?.end();
    this.#disconnect();
    if (!this.#running) {
      this.#journal.close();
    }
  }

  #wake(): void {
    if (!this.#running) {
      this.#running = true;
      this.#run().catch((error: unknown) => this.#options.log(`events: ${textOf(error)}`));
    }
  }

  async #run(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let record = this.#journal.first; record !== undefined && !this.#closed; record = this.#journal.first) {
      const failure = await this.#forward(record.bytes);
      if (this.#closed) {
        break;
      }
      if (failure === undefined || this.#isUnwanted(failure)) {
        this.#journal.take();
        this.#refusals = 0;
        pauseMs = FIRST_PAUSE_MS;
      } else {
        await this.#wait(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
    this.#running = false;
    if (this.#closed) {
      this.#journal.close();
    }
  }

  async #forward(bytes: Uint8Array): Promise<unknown> {
    try {
      this.#connection ??= new TtrpcConnection(await connected(this.#address));
      await this.#connection.client(EventsForwarding).Forward({ envelope: Envelope.decode(bytes) }, { timeoutMs: ANSWER_MS });
      return undefined;
    } catch (error) {
      if (!(error instanceof StatusError) || error.code === StatusCode.unavailable || error.code === StatusCode.deadlineExceeded) {
        this.#disconnect();
      }
      return error;
    }
  }

  /** Only what containerd itself has answered, and not about its own state. */
  #isUnwanted(failure: unknown): boolean {
    if (this.#connection === undefined) {
      return false;
    }
    this.#refusals++;
    const permanent = failure instanceof StatusError && failure.code === StatusCode.invalidArgument;
    if (!permanent && this.#refusals < MOST_REFUSALS) {
      return false;
    }
    this.#options.log(`containerd refuses an event, which is dropped: ${textOf(failure)}`);
    return true;
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#pause = undefined;
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#pause = { timer, end };
    });
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

function connected(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address.replace(/^unix:\/\//, ''));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
