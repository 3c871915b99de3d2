/** The library called in this process, as the shim does, beside commands of the peers. */
import { compare, freshId, runtimeCommand, type Topic } from './contest.ts';
import { timeCommand, timeSuccess } from './measure.ts';
import type { Setting } from './setting.ts';

/** The engine has compiled what is used often by then. */
const WARM_UP_ROUNDS = 300;

type Contestants = Map<string, (round: number) => number>;

export const inProcess: Topic = {
  name: 'in-process',
  measure: (setting) => {
    for (let round = 0; round < WARM_UP_ROUNDS; round++) setting.inProcess.run();
    const contestants: Contestants = new Map([['tsrun in process', () => setting.inProcess.run()]]);
    for (const runtime of setting.runtimes.slice(1)) {
      contestants.set(runtime.name, () =>
        timeSuccess(setting.sys, runtimeCommand(runtime, 'run', '--bundle', setting.trueBundle, freshId())),
      );
    }
    const what = 'create → start → exit → delete in a warm process, beside whole runs';
    return [compare(setting, 'in-process', what, contestants, { crun: 0.4, runc: 0.15 })];
  },
};

/** One running container of each runtime, and `true` in it until it has ended. */
export const execInProcess: Topic = {
  name: 'exec-in-process',
  measure: (setting) => {
    const ours = setting.inProcess.running(setting.sleepBundle);
    const peers = setting.runtimes.slice(1).map((runtime) => ({ runtime, id: freshId() }));
    try {
      for (let round = 0; round < WARM_UP_ROUNDS; round++) ours.exec();
      const contestants: Contestants = new Map([['tsrun in process', () => ours.exec()]]);
      for (const { runtime, id } of peers) {
        timeSuccess(setting.sys, runtimeCommand(runtime, 'run', '--detach', '--bundle', setting.sleepBundle, id));
        contestants.set(runtime.name, () => timeSuccess(setting.sys, runtimeCommand(runtime, 'exec', id, '/bin/true')));
      }
      return [
        compare(setting, 'exec-in-process', 'exec of true until it ends, in a warm process, beside exec', contestants, { crun: 0.3 }),
      ];
    } finally {
      ours.end();
      endPeers(setting, peers);
    }
  },
};

function endPeers({ sys }: Setting, peers: readonly { readonly runtime: Setting['nodeCommand']; readonly id: string }[]): void {
  for (const { runtime, id } of peers) timeCommand(sys, runtimeCommand(runtime, 'delete', '--force', id));
}
