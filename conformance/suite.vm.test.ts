/** The suite where it has a whole cgroup hierarchy: all of it against tsrun, and against its peers what needs that hierarchy. */
import { builtCommand, command, describeWith, type Requirement, rootUser, unifiedCgroups } from '../.scripts/jest/requirement.ts';
import { busybox, runSuite, SUITE_TIMEOUT_MS } from './suite.ts';

/** One at a time: where a create fails, crun does not always wait for its process to be gone, and then leaves the cgroup. */
const PEER_FLAGS = ['--filter', 'cgroups', '--jobs', '1'];
const RUNTIMES: readonly (readonly [name: string, flags: readonly string[], leastPassed: number, requirement: Requirement])[] = [
  ['tsrun', [], 600, builtCommand('tsrun')],
  ['runc', PEER_FLAGS, 20, command('runc')],
  ['crun', PEER_FLAGS, 20, command('crun')],
];
const GROUND = [rootUser, busybox, unifiedCgroups, builtCommand('tsrun-conformance')];

for (const [name, flags, leastPassed, requirement] of RUNTIMES) {
  describeWith([...GROUND, requirement], `the conformance suite against ${name}, with limits`, () => {
    it(
      'finds only known differences, and can test everything about cgroups',
      () => {
        const { counts, failures, status } = runSuite(name, flags);
        process.stderr.write(`conformance of ${name} ${flags.join(' ')}: ${JSON.stringify(counts)}\n`);
        expect(failures).toEqual([]);
        expect(counts['passed']).toBeGreaterThanOrEqual(leastPassed);
        expect(status).toBe(0);
      },
      SUITE_TIMEOUT_MS,
    );
  });
}
