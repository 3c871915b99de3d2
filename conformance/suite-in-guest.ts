/** The suite against one runtime, where it has a whole cgroup hierarchy. */
import { builtCommand, command, describeWith, rootUser, unifiedCgroups } from '../.scripts/jest/requirement.ts';
import { busybox, runSuite, SUITE_TIMEOUT_MS } from './suite.ts';

/** @param leastPassed without the tests that the runtime is known to fail, or that it does not claim to pass */
export function suiteInGuest(name: string, leastPassed: number, flags: readonly string[] = []): void {
  const runtime = name === 'tsrun' ? builtCommand(name) : command(name);
  describeWith(
    [rootUser, busybox, unifiedCgroups, builtCommand('tsrun-conformance'), runtime],
    `the conformance suite against ${name}, with limits`,
    () => {
      it(
        'finds only known differences',
        () => {
          const { counts, failures, status } = runSuite(name, flags);
          process.stderr.write(`conformance of ${name}: ${JSON.stringify(counts)}\n`);
          expect(failures).toEqual([]);
          expect(counts['passed']).toBeGreaterThanOrEqual(leastPassed);
          expect(status).toBe(0);
        },
        SUITE_TIMEOUT_MS,
      );
    },
  );
}
