/** drift: how a container that lives differs from its configuration, limits as updates have left them. Nothing is changed. */
import { RuntimeError } from '../../base/errors.ts';
import { readFileIfExists } from '../../linux/files.ts';
import { isSeparate } from '../../plan/namespaces.ts';
import { parseContainerId } from '../../spec/container-id.ts';
import type { Context } from '../context/context.ts';
import { notRunning, observe } from '../context/observe.ts';
import { presentResources, RESOURCES } from '../context/present-resources.ts';
import { recordedPlan } from '../recorded-plan.ts';
import { cgroupDrift } from './cgroup.ts';
import type { Difference } from './difference.ts';
import { insideDrift } from './inside.ts';
import { mountDrift } from './mounts.ts';
import { namespaceDrift } from './namespaces.ts';
import { processDrift } from './process.ts';

/** @throws RuntimeError 'not-running', 'not-permitted' */
export function drift(context: Context, id: string): Difference[] {
  parseContainerId(id);
  const { sys, store } = context;
  const { record, status } = observe(context, id);
  if (status === 'created') {
    throw new RuntimeError('status', "a created container is no running one: its process is still the runtime's", {
      hint: 'start it first',
    });
  }
  if (status !== 'running' && status !== 'paused') throw notRunning();
  const { text, config, plan } = recordedPlan(context, record);
  const resources = presentResources(readFileIfExists(sys, `${store.root}/${id}/${RESOURCES}`), () => text);
  return [
    ...cgroupDrift(sys, record, config, resources),
    ...namespaceDrift(sys, record.pid, plan.namespaces, record),
    ...processDrift(sys, record.pid, plan),
    ...(isSeparate(plan.namespaces, 'mount') ? mountDrift(sys, record.pid, plan) : []),
    ...insideDrift(context, record, plan),
  ];
}
