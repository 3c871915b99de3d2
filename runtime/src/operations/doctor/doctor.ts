/** doctor: what this host can and cannot do for containers, found out by trying. Nothing that is made stays. */

import type { Context } from '../context/context.ts';
import { isPrivileged } from '../context/host-facts.ts';
import { examineCgroups } from './cgroups.ts';
import { examineFilters } from './filters.ts';
import type { Examination, Finding } from './finding.ts';
import { examineKernel } from './kernel.ts';
import { examineMounts } from './mounts.ts';
import { examineIdMaps, examineNamespaces } from './namespaces.ts';
import { examineServices } from './services.ts';
import { tryContainer } from './trial.ts';

export interface Diagnosis {
  /** Nothing that every container needs is missing. */
  readonly healthy: boolean;
  readonly privileged: boolean;
  readonly findings: readonly Finding[];
}

export function diagnose(context: Context): Diagnosis {
  const { sys } = context;
  const examination: Examination = { context, sys, privileged: isPrivileged(sys) };
  const kernel = examineKernel(examination);
  const findings = [...kernel, ...(kernel.some(isMissing) ? [] : examineTrial(examination)), ...examineCgroups(examination)];
  findings.push(...examineFilters(examination), ...examineServices(examination));
  return { healthy: !findings.some(isMissing), privileged: examination.privileged, findings };
}

/** Without what the kernel lacks the trial would say nothing new. */
function examineTrial(examination: Examination): Finding[] {
  const trial = tryContainer(examination);
  return [...examineNamespaces(examination, trial), ...examineIdMaps(examination, trial), ...examineMounts(examination, trial)];
}

function isMissing({ verdict }: Finding): boolean {
  return verdict === 'missing';
}
