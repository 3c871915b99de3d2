/** Where runtimes differ from the specification and their authors know it, so that a run says only what is new. */
import type { KnownDifference } from '../harness/known-difference.ts';
import { CRUN } from './crun.ts';
import { RUNC } from './runc.ts';

const TSRUN: readonly KnownDifference[] = [
  {
    runtime: 'tsrun',
    versions: '*',
    tests: ['lifecycle/delete/created'],
    reason: 'delete kills a created container, as runc and crun do and as engines expect',
    reference: 'https://github.com/opencontainers/runc/issues/1774',
  },
];

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [...RUNC, ...CRUN, ...TSRUN];
