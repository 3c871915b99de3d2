/** `--trace FILE` beside none. */
import { join } from 'node:path';
import { compare, freshId, runtimeCommand, type Topic } from './contest.ts';
import { timeSuccess } from './measure.ts';

/** The difference is a hundredth: it takes many rounds to be seen at all. */
const MORE_ROUNDS = 4;

export const trace: Topic = {
  name: 'trace',
  measure: (setting) => {
    const { sys, trueBundle, runtimes } = setting;
    const [ours] = runtimes;
    if (ours === undefined) return [];
    // On the tmpfs, as the state: what a disk does to write a file down is no part of it.
    const flags = ['--trace', join(ours.root, '../trace.json')];
    const run = (...first: string[]) => timeSuccess(sys, runtimeCommand(ours, ...first, 'run', '--bundle', trueBundle, freshId()));
    const contestants = new Map([
      ['tsrun --trace', () => run(...flags)],
      ['tsrun', () => run()],
    ]);
    return [compare({ ...setting, rounds: setting.rounds * MORE_ROUNDS }, 'trace', 'run of busybox true', contestants, { tsrun: 1.02 })];
  },
};
