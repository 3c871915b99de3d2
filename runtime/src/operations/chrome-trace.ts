/**
 * Phases as Chrome trace events, for chrome://tracing and ui.perfetto.dev ("Trace Event Format", complete events). For one operation at a time: what an
 * error has left open ends with `text`.
 */
import type { PhaseDetails, Tracer } from '../base/tracer.ts';
import { tryCall } from '../linux/call.ts';
import { monotonicMs } from '../linux/poll.ts';
import type { Sys } from '../sys/sys.ts';

interface Phase {
  readonly name: string;
  readonly details: PhaseDetails;
  readonly beginMs: number;
}

interface Ended extends Phase {
  readonly endMs: number;
  /** It did not come to its end by itself. */
  readonly cut: boolean;
}

const US_PER_MS = 1000;

export class ChromeTrace implements Tracer {
  readonly #sys: Sys;
  readonly #open: Phase[] = [];
  readonly #ended: Ended[] = [];

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  begin(name: string, details: PhaseDetails = {}): void {
    this.#open.push({ name, details, beginMs: monotonicMs(this.#sys) });
  }

  next(name: string, details: PhaseDetails = {}): void {
    this.end();
    this.begin(name, details);
  }

  end(): void {
    this.#end(false);
  }

  #end(cut: boolean): void {
    const phase = this.#open.pop();
    if (phase !== undefined) this.#ended.push({ ...phase, endMs: monotonicMs(this.#sys), cut });
  }

  /** All phases as JSON, in the order in which they began. */
  text(): string {
    while (this.#open.length > 0) this.#end(true);
    const pid = tryCall(this.#sys, 'getpid');
    const traceEvents = this.#ended
      .toSorted((a, b) => a.beginMs - b.beginMs || b.endMs - a.endMs)
      .map(({ name, details, beginMs, endMs, cut }) => ({
        name,
        cat: 'tsrun',
        ph: 'X',
        ts: beginMs * US_PER_MS,
        dur: (endMs - beginMs) * US_PER_MS,
        pid,
        tid: pid,
        args: cut ? { ...details, failed: 1 } : details,
      }));
    return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents })}\n`;
  }
}
