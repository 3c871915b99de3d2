// npm test [-- [--project unit|root|vm] PATTERN…]: prepares the machine, builds, runs the tests, and says what could not be run and what is unsteady.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { ensureDebianPackages, ensureNodeModules, isRoot, root, show } from './prepare.mjs';
import { guestsFor, testInGuests } from './test-vm.mjs';

/** @typedef {{ status: string, fullName: string, failureMessages: string[] }} Assertion */
/** @typedef {{ name: string, status: string, message: string, assertionResults: Assertion[] }} Suite */
/** What a run gave: its suites, what kept it from giving them, and what could not be run at all. @typedef {{ suites: Suite[], problems: string[], impossible: string[] }} Run */

/** More than these at once is no accident. */
const MAX_AGAIN = 5;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { project: { type: 'string', multiple: true } } });
const projects = values.project ?? ['unit', 'root', 'vm'];
/** @type {string[]} */
const notices = [];
const counts = { passed: 0, failed: 0, skipped: 0 };
/** Why, and the tests that were skipped for it. @type {Map<string, string[]>} */
const skipped = new Map();
/** @type {string[]} */
const failures = [];
/** What failed and then passed. @type {string[]} */
const unsteady = [];

ensureNodeModules();
const notice = ensureDebianPackages();
if (notice) {
  notices.push(notice);
}
if (show(process.execPath, ['.scripts/build.mjs']) !== 0) {
  fail('npm run build');
} else {
  for (const project of projects) {
    const begin = performance.now();
    if (project !== 'unit' && !isRoot) {
      notices.push(`NONE of the real-kernel tests (project ${project}) was run: they need root.`);
    } else {
      await runProject(project);
    }
    console.log(`Project ${project}: ${Math.round((performance.now() - begin) / 1000)} s`);
  }
}
report();

/** @param {string} project */
async function runProject(project) {
  const passedBefore = counts.passed;
  const run = project === 'vm' ? runInGuests : runHere;
  const first = await run(project, positionals);
  const { suites, again } = await withSecondTry(project, first, run);
  notices.push(...first.impossible, ...again);
  first.problems.forEach(fail);
  collect(suites);
  if (project === 'root' && counts.passed === passedBefore && positionals.length === 0) {
    fail('no real-kernel test ran, although this is root');
  }
}

/**
 * Suites that failed on a real kernel run once again, by themselves, which tells a fault from one that comes and goes: that one is named loudly, and does not fail the run.
 * @param {string} project @param {Run} first @param {(project: string, patterns: string[]) => Promise<Run>} run
 */
async function withSecondTry(project, { suites }, run) {
  const failed = suites.filter(({ status }) => status === 'failed');
  if (project === 'unit' || failed.length === 0 || failed.length > MAX_AGAIN) {
    return { suites, again: [] };
  }
  console.log(`Again, by themselves: ${failed.map(({ name }) => relative(root, name)).join(' ')}`);
  const second = await run(
    project,
    failed.map(({ name }) => relative(root, name)),
  );
  const passed = new Map(second.suites.filter(({ status }) => status === 'passed').map((suite) => [suite.name, suite]));
  for (const suite of failed.filter(({ name }) => passed.has(name))) {
    unsteady.push(...problemsOf(suite));
  }
  return { suites: suites.map((suite) => passed.get(suite.name) ?? suite), again: second.impossible };
}

/** @param {string} project @param {string[]} patterns @returns {Promise<Run>} */
async function runHere(project, patterns) {
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
  const { status } = spawnSync(process.execPath, [...args, ...patterns], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    return { suites: JSON.parse(readFileSync(output, 'utf8')).testResults, problems: [], impossible: [] };
  } catch (error) {
    return { suites: [], problems: [`jest itself, project ${project}: exit status ${status}, ${error}`], impossible: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} _project @param {string[]} patterns @returns {Promise<Run>} */
async function runInGuests(_project, patterns) {
  const settled = await testInGuests(guestsFor(patterns));
  /** @type {Set<string>} */
  const reasons = new Set();
  /** @type {Suite[]} */
  const suites = [];
  const problems = [];
  for (const result of settled) {
    if (result.status === 'rejected') {
      reasons.add(result.reason instanceof Error ? result.reason.message : String(result.reason));
      continue;
    }
    const { guest, problem, seconds } = result.value;
    console.log(`Guest ${guest}: ${seconds} s`);
    suites.push(...result.value.suites);
    if (problem) {
      problems.push(`guest kernel ${guest}: ${problem}`);
    }
  }
  const none = 'NONE of the tests of a full cgroup hierarchy (project vm) was run: there is no guest kernel.';
  return { suites, problems, impossible: [...reasons].map((reason) => `${none} ${reason}`) };
}

/** @param {Suite[]} suites */
function collect(suites) {
  for (const suite of suites) {
    problemsOf(suite).forEach(fail);
    for (const { status, fullName } of suite.assertionResults) {
      if (status === 'passed') {
        counts.passed += 1;
      } else if (status !== 'failed') {
        counts.skipped += 1;
        // The words of .scripts/jest/requirement.ts, or of a test that says it in its title.
        const reason = /\(not run: ([^)]*)\)|SKIPPED[,:]? *(.*)/.exec(fullName);
        const why = reason?.[1] ?? reason?.[2] ?? 'the test does not say why';
        skipped.set(why, [...(skipped.get(why) ?? []), fullName]);
      }
    }
  }
}

/** What failed in a suite: its tests, or else the suite as a whole. @param {Suite} suite @returns {string[]} */
function problemsOf({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((assertion) => assertion.status === 'failed');
  if (status === 'failed' && failed.length === 0) {
    return [`${name}: ${readable(message)}`];
  }
  return failed.map(({ fullName, failureMessages }) => `${name}\n    ${fullName}\n${failureMessages.map(readable).join('\n')}`);
}

/** @param {string} problem */
function fail(problem) {
  failures.push(problem);
  counts.failed += 1;
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
  if (unsteady.length > 0) {
    console.log(`\n==== UNSTEADY: failed, and passed when run again by themselves ====\n${unsteady.join('\n')}`);
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
