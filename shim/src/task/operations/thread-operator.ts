/**
 * Operations on worker threads, each with a Sys of its own. A few threads do the usual work, which keeps a processor busy for some milliseconds; when
 * all of them are held up (by a hook, a slow device, a process that does not die), more are started, so that others do not wait for that.
 */
import { availableParallelism, loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';
import { RuntimeError } from '../../../../runtime/src/base/errors.ts';
import { errorOf, type Reply } from './messages.ts';
import type { ArgumentsOf, OperationName, Operator, ResultOf } from './operation.ts';

export interface ThreadLimits {
  /** More would only take processor time from each other. */
  readonly usual: number;
  /** For operations that are held up. */
  readonly most: number;
  /** Threads beyond the usual ones end when they have had nothing to do for so long, */
  readonly idleMs: number;
  /** and the usual ones after this: each takes 10 MB. */
  readonly restMs: number;
}

const DEFAULT_LIMITS: ThreadLimits = {
  ...{ usual: Math.min(Math.max(availableParallelism(), 2), 4), most: 32 },
  ...{ idleMs: 10_000, restMs: 20_000 },
};
/**
 * No operation ends for so long while others wait: those that run are held up. On a busy machine all take longer, and threads would make it
 * busier: so it is at least so many times what an operation takes, and longer where many wait for a processor.
 */
const HELD_UP_MS = { least: 25, most: 250, times: 3 };
/** Share of the newest operation in the mean. */
const NEWEST = 0.2;
/** Values die young, and few live long. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64, stackSizeMb: 4 };

interface Job {
  readonly name: OperationName;
  readonly args: unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  /** When the job was given to it. */
  since: number;
  idle: NodeJS.Timeout | undefined;
}

export class ThreadOperator implements Operator {
  readonly #entry: string;
  readonly #warn: (message: string) => void;
  readonly #threads = new Set<Thread>();
  readonly #queue: Job[] = [];
  readonly #limits: ThreadLimits;
  #meanMs = 0;
  #serial = 0;
  #heldUp: NodeJS.Timeout | undefined;
  #closed = false;
  /** Called when the last thread has ended for want of work. */
  rested: () => void = () => undefined;

  /** @param entry path of the bundle of `worker.ts`. The first thread is started at once, to be there when it is needed. */
  constructor(entry: string, warn: (message: string) => void, limits: Partial<ThreadLimits> = {}) {
    this.#entry = entry;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#warn = warn;
    this.prepare();
  }

  /** Work is about to come: a thread is started if there is none. */
  prepare(): void {
    if (this.#threads.size === 0 && !this.#closed) this.#rest(this.#startThread());
  }

  run<Name extends OperationName>(name: Name, args: ArgumentsOf<Name>): Promise<ResultOf<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new RuntimeError('closed', 'the shim is ending'));
        return;
      }
      this.#queue.push({ name, args, resolve, reject });
      this.#assign();
    });
  }

  /** Operations that run are cut off. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#heldUp);
    for (const job of this.#queue.splice(0)) job.reject(new RuntimeError('closed', 'the shim is ending'));
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #assign(): void {
    while (this.#queue.length > 0) {
      const thread = [...this.#threads].find(({ job }) => job === undefined) ?? this.#another();
      if (thread === undefined) break;
      this.#give(thread);
    }
    if (this.#queue.length === 0) {
      clearTimeout(this.#heldUp);
      this.#heldUp = undefined;
    } else this.#heldUp ??= setTimeout(() => this.#help(), this.#patienceMs());
  }

  #patienceMs(): number {
    const [load = 0] = loadavg();
    const crowding = Math.max(load / availableParallelism(), 1);
    return Math.min(Math.max(this.#meanMs * HELD_UP_MS.times, HELD_UP_MS.least), HELD_UP_MS.most) * crowding;
  }

  #another(): Thread | undefined {
    return this.#threads.size < this.#limits.usual ? this.#startThread() : undefined;
  }

  #help(): void {
    this.#heldUp = undefined;
    if (this.#queue.length > 0 && this.#threads.size < this.#limits.most) this.#startThread();
    this.#assign();
  }

  #give(thread: Thread): void {
    const job = this.#queue.shift();
    if (job === undefined) return;
    clearTimeout(thread.idle);
    thread.job = job;
    thread.since = performance.now();
    this.#serial++;
    thread.worker.ref();
    thread.worker.postMessage({ serial: this.#serial, name: job.name, args: job.args });
  }

  #startThread(): Thread {
    const worker = new Worker(this.#entry, { resourceLimits: RESOURCE_LIMITS, stdin: false });
    const thread: Thread = { worker, job: undefined, since: 0, idle: undefined };
    this.#threads.add(thread);
    worker.unref();
    worker.on('message', (reply: Reply) => this.#receive(thread, reply));
    worker.on('error', (error: Error) => this.#lose(thread, error));
    worker.on('exit', () => this.#lose(thread, new RuntimeError('worker', 'the thread of the operation ended')));
    return thread;
  }

  #receive(thread: Thread, reply: Reply): void {
    if (reply.kind === 'warning') {
      this.#warn(reply.message);
      return;
    }
    const { job } = thread;
    thread.job = undefined;
    thread.worker.unref();
    this.#meanMs += (performance.now() - thread.since - this.#meanMs) * NEWEST;
    // Something moves: those who wait have not been held up.
    clearTimeout(this.#heldUp);
    this.#heldUp = undefined;
    if (reply.kind === 'error') job?.reject(errorOf(reply.error));
    // What the worker's `perform` returned for this very job.
    else job?.resolve(reply.result as never);
    this.#assign();
    if (thread.job === undefined) this.#rest(thread);
  }

  #rest(thread: Thread): void {
    const { usual, idleMs, restMs } = this.#limits;
    thread.idle = setTimeout(() => this.#end(thread), this.#threads.size > usual ? idleMs : restMs);
    thread.idle.unref();
  }

  #end(thread: Thread): void {
    this.#threads.delete(thread);
    thread.worker
      .terminate()
      .then(() => {
        if (this.#threads.size === 0) this.rested();
      })
      .catch(() => undefined);
  }

  #lose(thread: Thread, error: Error): void {
    const { job } = thread;
    thread.job = undefined;
    job?.reject(error);
    if (this.#threads.delete(thread) && !this.#closed) this.#assign();
  }
}
