import { createNodeSys } from '../sys/node.ts';
import { ChromeTrace } from './chrome-trace.ts';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: object;
}

function events(fill: (trace: ChromeTrace) => void): TraceEvent[] {
  const trace = new ChromeTrace(createNodeSys());
  fill(trace);
  return JSON.parse(trace.text()).traceEvents;
}

describe('ChromeTrace', () => {
  it('nests phases, in the order in which they began', () => {
    const [outer, first, second, ...others] = events((trace) => {
      trace.begin('outer');
      trace.begin('first', { steps: 3 });
      trace.next('second');
      trace.end();
      trace.end();
    });
    expect([outer?.name, first?.name, second?.name, others]).toEqual(['outer', 'first', 'second', []]);
    expect([outer?.ph, first?.args]).toEqual(['X', { steps: 3 }]);
    const end = (event: TraceEvent | undefined): number => (event?.ts ?? Number.NaN) + (event?.dur ?? Number.NaN);
    expect(outer?.ts).toBeLessThanOrEqual(first?.ts ?? Number.NaN);
    expect(end(first)).toBeLessThanOrEqual(second?.ts ?? Number.NaN);
    expect(end(second)).toBeLessThanOrEqual(end(outer));
  });

  it('ends what an error has left open, and marks it', () => {
    const found = events((trace) => {
      trace.begin('outer');
      trace.begin('inner', { path: 'p' });
    });
    expect(found.map(({ name, args }) => [name, args])).toEqual([
      ['outer', { failed: 1 }],
      ['inner', { path: 'p', failed: 1 }],
    ]);
  });

  it('is whole without phases', () => {
    expect(events(() => undefined)).toEqual([]);
  });
});
