// The tests named *.vm.test.ts, in guest kernels with a unified cgroup hierarchy, as many side by side as there are processors, one of them with systemd as process 1.
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { runGuest } from '../conformance/vm/guest.mjs';
import { root } from './prepare.mjs';

const ROOMS = ['runtime', 'imagetool', 'shim', 'conformance'];
const TIMEOUT_SECONDS = 1500;

/**
 * @typedef {{ name: string, systemd: boolean, files: string[] }} Guest
 * @typedef {{ guest: string, suites: any[], problem: string, seconds: number }} GuestResult
 */

/** The guests that are needed for the tests whose path matches one of the patterns. @param {string[]} patterns @returns {Guest[]} */
export function guestsFor(patterns) {
  const files = ROOMS.filter((room) => existsSync(join(root, room)))
    .flatMap((room) => readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)))
    .filter((name) => name.endsWith('.vm.test.ts'))
    .filter((name) => patterns.length === 0 || patterns.some((pattern) => new RegExp(pattern, 'i').test(name)))
    .sort();
  const needsSystemd = (/** @type {string} */ name) => name.endsWith('.systemd.vm.test.ts');
  // Each file of the conformance suite takes as long as all the other tests. The longest begins first.
  const isSuite = (/** @type {string} */ name) => name.startsWith('conformance/');
  const suites = files.filter(isSuite);
  return [
    ...suites.map((file) => ({ name: `conformance, ${basename(file, '.vm.test.ts')}`, systemd: false, files: [file] })),
    { name: 'cgroups', systemd: false, files: files.filter((name) => !needsSystemd(name) && !isSuite(name)) },
    { name: 'systemd', systemd: true, files: files.filter(needsSystemd) },
  ].filter((guest) => guest.files.length > 0);
}

/**
 * Runs the guests, and tells of each when it has ended. Each has one processor: more of them at a time would only make each of them slow.
 * @param {Guest[]} guests @returns {Promise<PromiseSettledResult<GuestResult>[]>}
 */
export async function testInGuests(guests) {
  const queue = [...guests];
  /** @type {PromiseSettledResult<GuestResult>[]} */
  const settled = [];
  const worker = async () => {
    for (let guest = queue.shift(); guest !== undefined; guest = queue.shift()) {
      settled.push(...(await Promise.allSettled([testInGuest(guest)])));
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return settled;
}

/** Runs the tests of a guest. Throws an error where there can be no guest, and says why. @param {Guest} guest @returns {Promise<GuestResult>} */
async function testInGuest({ name, systemd, files }) {
  const begin = performance.now();
  // On the disk, for the guest: its /tmp is its own.
  const results = mkdtempSync('/var/tmp/tsrun-guest-results-');
  try {
    const output = join(results, 'results.json');
    const jest = [process.execPath, 'node_modules/jest/bin/jest.js', '--config', '.scripts/jest/vm.json', '--runInBand'];
    const nowhere = openSync('/dev/null', 'w');
    const end = await runGuest({
      command: [...jest, '--json', `--outputFile=${output}`, '--runTestsByPath', ...files],
      systemd,
      writable: [results],
      timeoutSeconds: TIMEOUT_SECONDS,
      stdout: nowhere,
    });
    const seconds = Math.round((performance.now() - begin) / 1000);
    if (end.status === undefined) {
      return { guest: name, suites: [], problem: end.problem, seconds };
    }
    return { guest: name, suites: JSON.parse(readFileSync(output, 'utf8')).testResults, problem: '', seconds };
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}
