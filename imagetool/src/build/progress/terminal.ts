/** Progress for a terminal: the steps so far, with their times, and the last lines of the one that runs; drawn anew a few times a second. */

import { type BuildEvent, type BuildListener, monotonicMs, type StepOutcome } from './progress.ts';

const INTERVAL_MS = 100;
const MOST_STEPS = 20;
const OUTPUT_LINES = 4;

interface Shown {
  readonly name: string;
  readonly beganMs: number;
  endedMs?: number;
  outcome?: StepOutcome;
  readonly notes: string[];
  output: string[];
}

export interface TerminalOptions {
  readonly columns: number;
  readonly write: (text: string) => void;
}

/** `close` draws for the last time. */
export function terminalProgress({ columns, write }: TerminalOptions): { readonly listener: BuildListener; close(): void } {
  const steps = new Map<number, Shown>();
  const beganMs = monotonicMs();
  let drawn = 0;
  const draw = (isLast: boolean): void => {
    const lines = screen(steps, monotonicMs() - beganMs, isLast).map((line) => line.slice(0, columns - 1));
    const up = drawn === 0 ? '' : `\x1b[${drawn}A`;
    write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[0J`);
    drawn = lines.length;
  };
  const timer = setInterval(() => draw(false), INTERVAL_MS);
  timer.unref();
  return {
    listener: (event) => apply(steps, event),
    close: () => {
      clearInterval(timer);
      draw(true);
    },
  };
}

function apply(steps: Map<number, Shown>, event: BuildEvent): void {
  if (event.kind === 'begin') steps.set(event.id, { name: event.name, beganMs: event.atMs, notes: [], output: [] });
  const step = steps.get(event.id);
  if (step === undefined) return;
  if (event.kind === 'note') step.notes.push(event.text);
  else if (event.kind === 'output') {
    const text = `${step.output.pop() ?? ''}${event.bytes.toString('utf8')}`;
    step.output = text.split(/\r?\n|\r/).slice(-OUTPUT_LINES - 1);
  } else if (event.kind === 'end') {
    step.endedMs = event.atMs;
    step.outcome = event.outcome;
  }
}

function screen(steps: ReadonlyMap<number, Shown>, elapsedMs: number, isLast: boolean): string[] {
  const all = [...steps.values()];
  const done = all.filter((step) => step.outcome !== undefined);
  const shown = isLast ? all : all.slice(-MOST_STEPS);
  const head = `[+] Building ${(elapsedMs / 1000).toFixed(1)}s (${done.length}/${all.length})${isLast ? ' FINISHED' : ''}`;
  return [head, ...shown.flatMap((step) => stepLines(step, isLast))];
}

function stepLines(step: Shown, isLast: boolean): string[] {
  const seconds = (((step.endedMs ?? monotonicMs()) - step.beganMs) / 1000).toFixed(1);
  const words: Partial<Record<StepOutcome, string>> = { cached: 'CACHED ', error: 'ERROR ', canceled: 'CANCELED ' };
  const word = step.outcome === undefined ? '' : (words[step.outcome] ?? '');
  const isRunning = step.outcome === undefined && !isLast;
  const output = isRunning ? step.output.filter((line) => line !== '').slice(-OUTPUT_LINES) : [];
  const notes = step.notes.map((note) => ` =>    ${note}`);
  return [` => ${word}${step.name.replaceAll(/\s+/g, ' ')}  ${seconds}s`, ...notes, ...output.map((line) => ` => => # ${printable(line)}`)];
}

const CONTROL_SEQUENCE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');

function printable(line: string): string {
  return line.replaceAll(CONTROL_SEQUENCE, '').replaceAll(/\p{Cc}/gu, ' ');
}
