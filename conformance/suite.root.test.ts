/** The suite against the runtimes that are here: nothing may fail but what is known. */
import { existsSync, readFileSync } from 'node:fs';
import { builtCommand, command, describeWith, type Requirement, rootUser } from '../.scripts/jest/requirement.ts';
import { busybox, runSuite, SUITE_TIMEOUT_MS } from './suite.ts';

/** crun takes a hierarchy that is v2 or v1 as a whole, and a hybrid one only if its v2 part has no controllers. */
const crunCgroups: Requirement = { what: 'cgroup hierarchy that crun accepts', met: hybridControllers() === '' };

function hybridControllers(): string {
  const path = '/sys/fs/cgroup/unified/cgroup.controllers';
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

const RUNTIMES: readonly (readonly [string, readonly Requirement[]])[] = [
  ['tsrun', [builtCommand('tsrun')]],
  ['runc', [command('runc')]],
  ['crun', [command('crun'), crunCgroups]],
];

for (const [name, requirements] of RUNTIMES) {
  describeWith([rootUser, busybox, builtCommand('tsrun-conformance'), ...requirements], `the conformance suite against ${name}`, () => {
    it(
      'finds only known differences',
      () => {
        const { counts, failures, status } = runSuite(name);
        expect(failures).toEqual([]);
        expect(counts['passed']).toBeGreaterThan(250);
        expect(status).toBe(0);
      },
      SUITE_TIMEOUT_MS,
    );
  });
}
