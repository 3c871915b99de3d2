/** Mount sources that only the runtime can open: it has rights on the host that the container's root lacks. */
import type { Plan } from '../plan/plan.ts';
import type { PreparedSource } from '../plan/steps.ts';
import type { Context } from './context.ts';

/** Detached trees in the order of their indexes. The caller closes them. */
export function openPrepared(_context: Context, plan: Plan): number[] {
  const sources: PreparedSource[] = plan.prepare.flatMap((step) =>
    step.kind === 'bind' && step.prepared !== undefined ? [step.prepared] : [],
  );
  if (sources.length > 0) throw new Error('prepared sources');
  return [];
}
