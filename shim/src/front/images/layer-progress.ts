/** Transfers as docker shows them: a line each, in place on a terminal, and only beginnings and ends elsewhere. */

import { shortDigest } from '../../../../imagetool/src/digest/digest.ts';
import type { ProgressEvent, ProgressListener } from '../../../../imagetool/src/image/progress.ts';
import { formatDecimalSize } from '../../container/size.ts';

const BAR_WIDTH = 50;
const FRAME_MS = 100;

type Words = Readonly<Record<'start' | 'bytes' | 'downloaded' | 'exists' | 'uploaded' | 'mounted', string>>;

const WORDS: Words = {
  start: 'Pulling fs layer',
  bytes: 'Downloading',
  downloaded: 'Pull complete',
  exists: 'Already exists',
  uploaded: 'Pushed',
  mounted: 'Mounted from another repository',
};
const PUSH_WORDS: Words = { ...WORDS, start: 'Preparing', bytes: 'Pushing', exists: 'Layer already exists' };

export function layerProgress(print: (line: string) => void, isPush = false): ProgressListener {
  const words = isPush ? PUSH_WORDS : WORDS;
  if (process.stdout.isTTY && process.stderr.isTTY) return new Lines(words, (text) => process.stderr.write(text)).take;
  return (event) => {
    const line = event.kind === 'bytes' ? undefined : lineOf(event, words);
    if (line !== undefined) print(line);
  };
}

function lineOf(event: ProgressEvent, words: Words): string | undefined {
  if (event.kind === 'note') return event.text;
  const id = shortDigest(event.digest);
  if (event.kind === 'start') return `${id}: ${words.start}`;
  if (event.kind === 'done') return `${id}: ${words[event.outcome]}`;
  const filled = Math.min(BAR_WIDTH, Math.floor((event.done / Math.max(1, event.total)) * BAR_WIDTH));
  const bar = `${'='.repeat(Math.max(0, filled - 1))}>`.slice(0, BAR_WIDTH).padEnd(BAR_WIDTH);
  return `${id}: ${words.bytes} [${bar}] ${formatDecimalSize(event.done)}/${formatDecimalSize(event.total)}`;
}

/** A line a transfer, each rewritten where it stands. */
class Lines {
  readonly #words: Words;
  readonly #write: (text: string) => void;
  readonly #rows = new Map<string, number>();
  #drawnMs = 0;

  constructor(words: Words, write: (text: string) => void) {
    this.#words = words;
    this.#write = write;
  }

  take = (event: ProgressEvent): void => {
    const line = lineOf(event, this.#words);
    if (line === undefined || event.kind === 'note') return;
    if (event.kind === 'bytes' && Date.now() - this.#drawnMs < FRAME_MS) return;
    this.#drawnMs = Date.now();
    const row = this.#rows.get(event.digest);
    if (row === undefined) {
      this.#rows.set(event.digest, this.#rows.size);
      this.#write(`${line}\n`);
      return;
    }
    const up = this.#rows.size - row;
    this.#write(`\x1b[${up}A\r\x1b[2K${line}\x1b[${up}B\r`);
  };
}
