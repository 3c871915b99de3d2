/** Progress on a terminal: a line per transfer that is under way, redrawn in place, and one for all of them. */

import type { Digest } from '../../../specs/image/digest.ts';
import { shortDigest } from '../digest/digest.ts';
import type { ProgressEvent, ProgressListener } from '../image/progress.ts';
import { formatSize } from './table.ts';

export interface Terminal {
  readonly columns: number;
  write(text: string): void;
}

interface Transfer {
  readonly total: number;
  readonly kept: number;
  readonly startedMs: number;
  done: number;
}

const FRAME_MS = 100;
const BAR_WIDTH = 24;
const MAX_LINES = 12;

/** `now` is a clock in milliseconds. The view is complete after the last `done`; nothing has to be closed. */
export function progressView(terminal: Terminal, now: () => number = Date.now): ProgressListener {
  const view = new View(terminal, now);
  return (event) => view.take(event);
}

class View {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #transfers = new Map<Digest, Transfer>();
  readonly #finished = { count: 0, bytes: 0 };
  #drawnLines = 0;
  #drawnMs = 0;

  constructor(terminal: Terminal, now: () => number) {
    this.#terminal = terminal;
    this.#now = now;
  }

  take(event: ProgressEvent): void {
    if (event.kind === 'start')
      this.#transfers.set(event.digest, { total: event.total, kept: event.kept, done: event.kept, startedMs: this.#now() });
    else if (event.kind === 'bytes') this.#advance(event.digest, event.done);
    else if (event.kind === 'done') this.#finish(event.digest, event.outcome);
    if (event.kind !== 'bytes' || this.#now() - this.#drawnMs >= FRAME_MS) this.#draw(event.kind === 'note' ? [event.text] : []);
  }

  #advance(digest: Digest, done: number): void {
    const transfer = this.#transfers.get(digest);
    if (transfer !== undefined) transfer.done = done;
  }

  #finish(digest: Digest, outcome: string): void {
    const transfer = this.#transfers.get(digest);
    this.#transfers.delete(digest);
    this.#finished.count += 1;
    this.#finished.bytes += transfer?.total ?? 0;
    this.#draw([`${shortDigest(digest)}: ${outcome}`]);
  }

  /** Permanent lines first, then what is under way. */
  #draw(lines: readonly string[]): void {
    const erase = this.#drawnLines === 0 ? '' : `\x1b[${this.#drawnLines}A\x1b[J`;
    const live = this.#liveLines();
    const cut = (line: string) => line.slice(0, Math.max(20, this.#terminal.columns - 1));
    this.#terminal.write(erase + [...lines, ...live].map((line) => `${cut(line)}\n`).join(''));
    this.#drawnLines = live.length;
    this.#drawnMs = this.#now();
  }

  #liveLines(): string[] {
    const running = [...this.#transfers];
    if (running.length === 0) return [];
    const lines = running.slice(0, MAX_LINES).map(([digest, transfer]) => `${shortDigest(digest)}: ${this.#bar(transfer)}`);
    const all = running.reduce(
      (sum, [, one]) => ({
        total: sum.total + one.total,
        done: sum.done + one.done,
        kept: sum.kept + one.kept,
        startedMs: Math.min(sum.startedMs, one.startedMs),
      }),
      { total: this.#finished.bytes, done: this.#finished.bytes, kept: this.#finished.bytes, startedMs: Number.POSITIVE_INFINITY },
    );
    return running.length === 1 && this.#finished.count === 0 ? lines : [...lines, `total:        ${this.#bar(all)}`];
  }

  #bar({ total, done, kept, startedMs }: Transfer): string {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.floor(share * BAR_WIDTH);
    const bar = `[${'='.repeat(filled)}${filled < BAR_WIDTH ? '>' : ''}${' '.repeat(Math.max(0, BAR_WIDTH - filled - 1))}]`;
    const seconds = (this.#now() - startedMs) / 1000;
    const rate = seconds > 0.5 ? (done - kept) / seconds : 0;
    const eta = rate > 0 ? `  ${formatSize(rate)}/s  ${formatEta((total - done) / rate)}` : '';
    return `${bar} ${formatSize(done)}/${formatSize(total)}${eta}`;
  }
}

function formatEta(seconds: number): string {
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}m`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s` : `${Math.ceil(seconds)}s`;
}
