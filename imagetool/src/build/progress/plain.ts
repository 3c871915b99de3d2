/** Progress as lines, in the form of docker's builder: `#5 [2/3] RUN make`, `#5 0.123 text`, `#5 CACHED`, `#5 DONE 0.4s`. */

import type { BuildEvent, BuildListener } from './progress.ts';

interface Running {
  readonly name: string;
  readonly beganMs: number;
  /** Output that does not end in a line feed yet. */
  rest: Buffer;
}

export function plainProgress(write: (line: string) => void): BuildListener {
  const running = new Map<number, Running>();
  let current = 0;
  const turnTo = (id: number): void => {
    if (current === id) return;
    if (current !== 0) write('');
    current = id;
    write(`#${id} ${running.get(id)?.name ?? ''}`);
  };
  const seconds = (one: Running, atMs: number, digits: number): string => ((atMs - one.beganMs) / 1000).toFixed(digits);
  const lines = (event: Extract<BuildEvent, { kind: 'output' }>, one: Running): void => {
    const text = Buffer.concat([one.rest, event.bytes]);
    const end = text.lastIndexOf(10) + 1;
    one.rest = text.subarray(end);
    for (const line of text.toString('utf8', 0, end).split('\n').slice(0, -1)) {
      write(`#${event.id} ${seconds(one, event.atMs, 3)} ${line.replace(/\r$/, '')}`);
    }
  };
  return (event) => {
    if (event.kind === 'begin') {
      running.set(event.id, { name: event.name, beganMs: event.atMs, rest: Buffer.alloc(0) });
      turnTo(event.id);
      return;
    }
    const one = running.get(event.id);
    if (one === undefined) return;
    turnTo(event.id);
    if (event.kind === 'output') lines(event, one);
    else if (event.kind === 'note') write(`#${event.id} ${event.text}`);
    else {
      if (one.rest.length > 0) write(`#${event.id} ${seconds(one, event.atMs, 3)} ${one.rest.toString('utf8')}`);
      write(`#${event.id} ${outcome(event, seconds(one, event.atMs, 1))}`);
      write('');
      running.delete(event.id);
      current = 0;
    }
  };
}

function outcome(event: Extract<BuildEvent, { kind: 'end' }>, seconds: string): string {
  switch (event.outcome) {
    case 'cached':
      return 'CACHED';
    case 'done':
      return `DONE ${seconds}s`;
    case 'canceled':
      return 'CANCELED';
    case 'error':
      return `ERROR: ${event.reason ?? ''}`;
  }
}

/** One JSON object a line. */
export function jsonProgress(write: (line: string) => void): BuildListener {
  return (event) => {
    const { atMs, ...rest } = event;
    const time = Math.round(atMs);
    write(
      JSON.stringify(
        event.kind === 'output' ? { kind: event.kind, id: event.id, text: event.bytes.toString('utf8'), time } : { ...rest, time },
      ),
    );
  };
}
