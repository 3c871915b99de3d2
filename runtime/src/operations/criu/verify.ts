/**
 * Whether what CRIU has restored is what the configuration says. Mounts, their attributes, rights and filters come out of the image, and an image may have
 * been made by anybody: this is asked when all is there and nothing runs yet.
 */
import { RuntimeError } from '../../base/errors.ts';
import { isSeparate } from '../../plan/namespaces.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Difference } from '../drift/difference.ts';
import { mountDrift } from '../drift/mounts.ts';
import { namespaceDrift } from '../drift/namespaces.ts';
import { processDrift } from '../drift/process.ts';

/** A program may have changed these by itself, before the checkpoint. */
const OWN_AFFAIRS: readonly Difference['aspect'][] = ['limit', 'device'];

/** @throws RuntimeError 'restored-otherwise' */
export function verifyRestored(sys: Sys, pid: number, plan: Plan): void {
  const differences = [
    ...namespaceDrift(sys, pid, plan.namespaces, { restored: true }),
    ...processDrift(sys, pid, plan),
    ...(isSeparate(plan.namespaces, 'mount') ? mountDrift(sys, pid, plan) : []),
  ].filter(({ aspect, object }) => !OWN_AFFAIRS.includes(aspect) && object !== 'oom_score_adj');
  const [first] = differences;
  if (first === undefined) return;
  const { configPath, object, expected, actual } = first;
  const place = configPath === undefined ? '' : `${configPath}: `;
  throw new RuntimeError('restored-otherwise', `${place}the image does not fit the configuration: ${object}: ${actual}, not ${expected}`, {
    ...(configPath === undefined ? {} : { configPath }),
    hint: 'restore with the configuration that the container was checkpointed with, and only images that you trust',
  });
}
