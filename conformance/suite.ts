/** Runs the suite, as built, against a runtime that is here. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Requirement } from '../.scripts/jest/requirement.ts';

const BIN = resolve(__dirname, '../dist/bin');
export const SUITE_TIMEOUT_MS = 1_200_000;

export const busybox: Requirement = { what: 'static busybox', met: ['/usr/bin/busybox', '/bin/busybox'].some((path) => existsSync(path)) };

interface Document {
  readonly counts: Readonly<Record<string, number>>;
  readonly tests: readonly { readonly id: string; readonly status: string; readonly message?: string }[];
}

export interface SuiteResult {
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly status: number | null;
}

/** @param runtime a path, or the name of a command that is in PATH or built here */
export function runSuite(runtime: string, flags: readonly string[] = []): SuiteResult {
  const { status, stdout, stderr } = spawnSync(
    join(BIN, 'tsrun-conformance'),
    ['--runtime', pathOf(runtime), '--format', 'json', ...flags],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      timeout: SUITE_TIMEOUT_MS,
    },
  );
  if (stdout === '') throw new Error(`exit status ${status}: ${stderr}`);
  const document: Document = JSON.parse(stdout);
  const failures = document.tests.filter((test) => test.status === 'failed').map(({ id, message = '' }) => `${id}: ${message}`);
  return { counts: document.counts, failures, status };
}

function pathOf(name: string): string {
  const folders = [BIN, ...(process.env['PATH'] ?? '').split(':')];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
}
