// The tests named *.vm.test.ts, in guest kernels with a unified cgroup hierarchy, side by side, one of them with systemd as process 1.
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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
  // The suite takes as long as all the others.
  const isSuite = (/** @type {string} */ name) => name.startsWith('conformance/');
  return [
    { name: 'conformance', systemd: false, files: files.filter(isSuite) },
    { name: 'cgroups', systemd: false, files: files.filter((name) => !needsSystemd(name) && !isSuite(name)) },
    { name: 'systemd', systemd: true, files: files.filter(needsSystemd) },
  ].filter((guest) => guest.files.length > 0);
}

/** Runs the tests of a guest. Throws an error where there can be no guest, and says why. @param {Guest} guest @returns {Promise<GuestResult>} */
export async function testInGuest({ name, systemd, files }) {
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
