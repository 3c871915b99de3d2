import { CAPABILITY_NAMES, CAPABILITY_SETS } from '../../../../specs/runtime/linux/capabilities.ts';
import type { Process } from '../../../../specs/runtime/process.ts';
import { findNearestName } from '../../../../specs/schema/nearest-name.ts';
import { checkItems, type Rule } from './rule.ts';

const REFERENCE = 'config.md#linux-process';

const KNOWN: ReadonlySet<string> = new Set(CAPABILITY_NAMES);

/** Whether the name is one of capabilities(7). */
export function isCapability(name: string): boolean {
  return KNOWN.has(name);
}

export const capabilityErrors: readonly Rule<Process>[] = [
  {
    id: 'capability-effective',
    // capset(2) fails otherwise, and would say no more than EPERM.
    reference: 'capset(2)',
    check({ capabilities }, report) {
      const permitted = new Set(capabilities?.permitted);
      checkItems(capabilities?.effective, 'capabilities.effective', report, (name, reportItem) => {
        if (isCapability(name) && !permitted.has(name)) reportItem('', name, 'must be in permitted as well');
      });
    },
  },
];

export const capabilityWarnings: readonly Rule<Process>[] = [
  {
    id: 'capability-unknown',
    reference: REFERENCE,
    check({ capabilities }, report) {
      for (const set of CAPABILITY_SETS) {
        checkItems(capabilities?.[set], `capabilities.${set}`, report, (name, reportItem) => {
          if (isCapability(name)) return;
          const nearest = findNearestName(name, CAPABILITY_NAMES);
          const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
          reportItem('', name, `is not a known capability and is left out${hint}`);
        });
      }
    },
  },
  {
    id: 'capability-ambient',
    reference: REFERENCE,
    check({ capabilities }, report) {
      const permitted = new Set(capabilities?.permitted);
      const inheritable = new Set(capabilities?.inheritable);
      const lost = capabilities?.ambient?.filter((name) => isCapability(name) && !(permitted.has(name) && inheritable.has(name))) ?? [];
      // One warning for all: buildah and others always ask for them.
      const message = `${lost.join(', ')} cannot be granted unless permitted and inheritable have the same`;
      if (lost.length > 0) report('capabilities.ambient', lost.join(), message);
    },
  },
];
