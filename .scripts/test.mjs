// npm test [-- [--project unit|root|vm] PATTERN…]: prepares the machine, builds, runs the tests, and says what could not be run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { ensureDebianPackages, ensureNodeModules, isRoot, root, show } from './prepare.mjs';
import { guestsFor, testInGuest } from './test-vm.mjs';

/** @typedef {{ status: string, fullName: string, failureMessages: string[] }} Assertion */
/** @typedef {{ name: string, status: string, message: string, assertionResults: Assertion[] }} Suite */

const { values, positionals } = parseArgs({ allowPositionals: true, options: { project: { type: 'string', multiple: true } } });
const projects = values.project ?? ['unit', 'root', 'vm'];
/** @type {string[]} */
const notices = [];
const counts = { passed: 0, failed: 0, skipped: 0 };
/** Why, and the tests that were skipped for it. @type {Map<string, string[]>} */
const skipped = new Map();
/** @type {string[]} */
const failures = [];

ensureNodeModules();
const notice = ensureDebianPackages();
if (notice) {
  notices.push(notice);
}
if (show(process.execPath, ['.scripts/build.mjs']) !== 0) {
  failures.push('npm run build');
  counts.failed += 1;
} else {
  for (const project of projects) {
    const begin = performance.now();
    if (project !== 'unit' && !isRoot) {
      notices.push(`NONE of the real-kernel tests (project ${project}) was run: they need root.`);
    } else {
      await (project === 'vm' ? runInGuests() : runProject(project));
    }
    console.log(`Project ${project}: ${Math.round((performance.now() - begin) / 1000)} s`);
  }
}
report();

/** @param {string} project */
function runProject(project) {
  const passedBefore = counts.passed;
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-test-'));
  const output = join(folder, 'results.json');
  // One at a time where tests share the kernel's global names: mounts, cgroups, network devices.
  const workers = project === 'unit' ? '--maxWorkers=2' : '--runInBand';
  const args = [
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    project,
    workers,
    '--json',
    `--outputFile=${output}`,
    '--passWithNoTests',
  ];
  const { status } = spawnSync(process.execPath, [...args, ...positionals], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    collect(JSON.parse(readFileSync(output, 'utf8')).testResults);
  } catch (error) {
    failures.push(`jest itself, project ${project}: exit status ${status}, ${error}`);
    counts.failed += 1;
  }
  rmSync(folder, { recursive: true, force: true });
  if (project === 'root' && counts.passed === passedBefore && positionals.length === 0) {
    failures.push('no real-kernel test ran, although this is root');
    counts.failed += 1;
  }
}

/** Side by side: each has one processor. */
async function runInGuests() {
  const settled = await Promise.allSettled(guestsFor(positionals).map((guest) => testInGuest(guest)));
  /** @type {Set<string>} */
  const impossible = new Set();
  for (const result of settled) {
    if (result.status === 'rejected') {
      impossible.add(result.reason instanceof Error ? result.reason.message : String(result.reason));
      continue;
    }
    const { guest, suites, problem, seconds } = result.value;
    console.log(`Guest ${guest}: ${seconds} s`);
    collect(suites);
    if (problem) {
      failures.push(`guest kernel ${guest}: ${problem}`);
      counts.failed += 1;
    }
  }
  for (const reason of impossible) {
    notices.push(`NONE of the tests of a full cgroup hierarchy (project vm) was run: there is no guest kernel. ${reason}`);
  }
}

/** @param {Suite[]} suites */
function collect(suites) {
  for (const suite of suites) {
    if (suite.status === 'failed' && suite.assertionResults.every(({ status }) => status !== 'failed')) {
      failures.push(`${suite.name}: ${readable(suite.message)}`);
      counts.failed += 1;
    }
    for (const { status, fullName, failureMessages } of suite.assertionResults) {
      if (status === 'passed') {
        counts.passed += 1;
      } else if (status === 'failed') {
        counts.failed += 1;
        failures.push(`${suite.name}\n    ${fullName}\n${failureMessages.map(readable).join('\n')}`);
      } else {
        counts.skipped += 1;
        // The words of .scripts/jest/requirement.ts, or of a test that says it in its title.
        const reason = /\(not run: ([^)]*)\)|SKIPPED[,:]? *(.*)/.exec(fullName);
        const why = reason?.[1] ?? reason?.[2] ?? 'the test does not say why';
        skipped.set(why, [...(skipped.get(why) ?? []), fullName]);
      }
    }
  }
}

/** Without colours, and without the lines of the test runner's own stack. @param {string} message */
function readable(message) {
  const lines = stripVTControlCharacters(message).split('\n');
  return lines.filter((line) => !/node_modules\/(jest|expect)|at new Promise \(<anonymous>\)|node:internal/.test(line)).join('\n');
}

function report() {
  if (failures.length > 0) {
    console.log(`\n==== FAILED ====\n${failures.join('\n')}`);
  }
  if (skipped.size + notices.length > 0) {
    console.log('\n==== NOT RUN ====');
    for (const [why, names] of skipped) {
      console.log(`${why}: ${names.length} test${names.length === 1 ? '' : 's'}, such as "${names[0]}"`);
    }
    console.log(notices.join('\n'));
  }
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}
