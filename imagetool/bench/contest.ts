/** One comparison: two contestants in turns, by the time on the wall and by the time of processors. */

import { pairedRatio } from '../../runtime/bench/measure.ts';
import type { Row } from '../../runtime/bench/report.ts';
import { type Cost, inTurns, medianOf } from './measure.ts';
import type { Setting } from './setting.ts';

export interface Topic {
  readonly name: string;
  measure(setting: Setting): Promise<Row[]>;
}

export interface Contest {
  readonly topic: string;
  readonly what: string;
  readonly rounds: number;
  readonly limit: number;
  readonly peer: string;
  readonly ours: (round: number) => Promise<Cost>;
  readonly theirs: (round: number) => Promise<Cost>;
}

export async function compare(contest: Contest): Promise<Row[]> {
  const [ours = [], theirs = []] = await inTurns(contest.rounds, [contest.ours, contest.theirs]);
  const row = (field: keyof Cost, suffix: string): Row => {
    const ratio = pairedRatio(
      ours.map((cost) => cost[field]),
      theirs.map((cost) => cost[field]),
    );
    return {
      topic: contest.topic,
      what: `${contest.what}${suffix}`,
      medians: { tsimg: medianOf(ours, field), [contest.peer]: medianOf(theirs, field) },
      unit: 'ms',
      goals: [{ name: `tsimg / ${contest.peer}`, value: ratio, limit: contest.limit }],
    };
  };
  return [row('wallMs', ''), row('cpuMs', ', processor time')];
}
