/** What a build tells while it runs. The command line makes lines, a live view or JSON of it. */

export type StepOutcome = 'done' | 'cached' | 'error' | 'canceled';

export type BuildEvent =
  | { readonly kind: 'begin'; readonly id: number; readonly name: string; readonly atMs: number }
  | { readonly kind: 'output'; readonly id: number; readonly bytes: Buffer; readonly atMs: number }
  /** A line about the step, such as why it is not cached. */
  | { readonly kind: 'note'; readonly id: number; readonly text: string; readonly atMs: number }
  | { readonly kind: 'end'; readonly id: number; readonly outcome: StepOutcome; readonly atMs: number; readonly reason?: string };

export type BuildListener = (event: BuildEvent) => void;

/** Since some time in the past. `performance` would have to be loaded first, which takes 5 ms. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** One piece of work that is told about. */
export class ProgressStep {
  readonly #listener: BuildListener;
  readonly id: number;
  readonly name: string;
  #isOver = false;

  constructor(listener: BuildListener, id: number, name: string) {
    this.#listener = listener;
    this.id = id;
    this.name = name;
    listener({ kind: 'begin', id, name, atMs: monotonicMs() });
  }

  output(bytes: Buffer): void {
    this.#listener({ kind: 'output', id: this.id, bytes, atMs: monotonicMs() });
  }

  note(text: string): void {
    this.#listener({ kind: 'note', id: this.id, text, atMs: monotonicMs() });
  }

  /** Told once: later ends say nothing. */
  end(outcome: StepOutcome, reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener({ kind: 'end', id: this.id, outcome, atMs: monotonicMs(), ...(reason === undefined ? {} : { reason }) });
  }
}

/** Numbers the steps of a build in the order in which they begin. */
export class BuildProgress {
  readonly #listener: BuildListener;
  #count = 0;

  constructor(listener: BuildListener) {
    this.#listener = listener;
  }

  begin(name: string): ProgressStep {
    this.#count += 1;
    return new ProgressStep(this.#listener, this.#count, name);
  }

  /** Runs `body` as a step. */
  async during<T>(name: string, body: (step: ProgressStep) => Promise<T>): Promise<T> {
    const step = this.begin(name);
    try {
      const result = await body(step);
      step.end('done');
      return result;
    } catch (error) {
      step.end('error', error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
      throw error;
    }
  }
}
