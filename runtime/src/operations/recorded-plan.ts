/** What was planned for a container that is there: from its frozen configuration, on this host. */
import { type Plan, planContainer } from '../plan/plan.ts';
import { loadConfig } from '../spec/load.ts';
import type { ValidConfig } from '../spec/valid.ts';
import type { ContainerRecord } from '../state/record.ts';
import { gatherHostFacts } from './context/host-facts.ts';
import type { LightContext } from './context/light-context.ts';

export interface RecordedPlan {
  /** The configuration, as it was read at create. */
  readonly text: string;
  readonly config: ValidConfig;
  readonly plan: Plan;
}

export function recordedPlan({ sys, store }: Pick<LightContext, 'sys' | 'store'>, record: ContainerRecord): RecordedPlan {
  const text = store.readConfig(record.id);
  const { config } = loadConfig(text);
  const host = gatherHostFacts(sys, record.bundle, record.cgroup?.directory);
  const plan = planContainer(config, host, { id: record.id, noPivot: false, noNewKeyring: record.noNewKeyring === true });
  return { text, config, plan };
}
