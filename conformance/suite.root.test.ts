/** The suite against the runtimes that are here: nothing may fail but what is known. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { builtCommand, command, describeWith, type Requirement, rootUser } from '../.scripts/jest/requirement.ts';

const BIN = resolve(__dirname, '../dist/bin');
const TIMEOUT_MS = 600_000;
const busybox: Requirement = { what: 'static busybox', met: ['/usr/bin/busybox', '/bin/busybox'].some((path) => existsSync(path)) };

/** crun takes a hierarchy that is v2 or v1 as a whole, and a hybrid one only if its v2 part has no controllers. */
const crunCgroups: Requirement = { what: 'cgroup hierarchy that crun accepts', met: hybridControllers() === '' };

function hybridControllers(): string {
  const path = '/sys/fs/cgroup/unified/cgroup.controllers';
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

interface Document {
  readonly counts: Readonly<Record<string, number>>;
  readonly tests: readonly { readonly id: string; readonly status: string; readonly message?: string }[];
}

function failuresOf(runtime: string): { readonly document: Document; readonly failures: string[]; readonly status: number | null } {
  const { status, stdout, stderr } = spawnSync(join(BIN, 'tsrun-conformance'), ['--runtime', runtime, '--format', 'json'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: TIMEOUT_MS,
  });
  if (stdout === '') throw new Error(`exit status ${status}: ${stderr}`);
  const document: Document = JSON.parse(stdout);
  const failures = document.tests.filter((test) => test.status === 'failed').map(({ id, message = '' }) => `${id}: ${message}`);
  return { document, failures, status };
}

function pathOf(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
}

const RUNTIMES: readonly (readonly [string, () => string, readonly Requirement[]])[] = [
  ['tsrun', () => join(BIN, 'tsrun'), [builtCommand('tsrun')]],
  ['runc', () => pathOf('runc'), [command('runc')]],
  ['crun', () => pathOf('crun'), [command('crun'), crunCgroups]],
];

for (const [name, path, requirements] of RUNTIMES) {
  describeWith([rootUser, busybox, builtCommand('tsrun-conformance'), ...requirements], `the conformance suite against ${name}`, () => {
    it(
      'finds only known differences',
      () => {
        const { document, failures, status } = failuresOf(path());
        expect(failures).toEqual([]);
        expect(document.counts['passed']).toBeGreaterThan(250);
        expect(status).toBe(0);
      },
      TIMEOUT_MS,
    );
  });
}
