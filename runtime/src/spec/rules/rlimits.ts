import type { Process, RlimitType } from '../../../../specs/runtime/process.ts';
import { checkItems, type Rule } from './rule.ts';

const REFERENCE = 'config.md#posix-process';

export const rlimitErrors: readonly Rule<Process>[] = [
  {
    id: 'rlimit-duplicate',
    reference: REFERENCE,
    check({ rlimits }, report) {
      const seen = new Set<RlimitType>();
      checkItems(rlimits, 'rlimits', report, ({ type }, reportItem) => {
        if (seen.has(type)) reportItem('type', type, 'must not be given twice');
        seen.add(type);
      });
    },
  },
  {
    id: 'rlimit-order',
    reference: REFERENCE,
    check({ rlimits }, report) {
      checkItems(rlimits, 'rlimits', report, ({ soft, hard }, reportItem) => {
        if (soft > hard) reportItem('soft', soft, `must not be above the hard limit ${hard}`);
      });
    },
  },
];
