/** What a test needs of the machine. Where it is missing, the test is skipped and `npm test` prints, at its end, what was missing. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Requirement {
  /** As in "not run: no …". */
  readonly what: string;
  readonly met: boolean;
}

export const rootUser: Requirement = { what: 'root', met: process.getuid?.() === 0 };

/** The whole cgroup hierarchy is v2, with its controllers; a hybrid machine has only an empty one. */
export const unifiedCgroups: Requirement = { what: 'unified cgroup hierarchy', met: existsSync('/sys/fs/cgroup/cgroup.controllers') };

/** The native command: a C compiler and the engine were here when `npm run build` ran. */
export function builtCommand(name: string): Requirement {
  return { what: `dist/bin/${name} (npm run build)`, met: existsSync(join(__dirname, '../../dist/bin', name)) };
}

export function command(name: string): Requirement {
  const folders = (process.env['PATH'] ?? '').split(':');
  return { what: `command ${name}`, met: folders.some((folder) => folder !== '' && isExecutable(join(folder, name))) };
}

/** `describe` where all requirements are met; a skipped one that tells the reason where not. */
export function describeWith(requirements: readonly Requirement[], name: string, body: () => void): void {
  const missing = requirements.filter(({ met }) => !met).map(({ what }) => what);
  if (missing.length === 0) {
    describe(name, body);
  } else {
    describe.skip(`${name} (not run: no ${missing.join(', no ')})`, body);
  }
}

/** `it`, in the same way. */
export function itWith(requirements: readonly Requirement[], name: string, body: jest.ProvidesCallback): void {
  const missing = requirements.filter(({ met }) => !met).map(({ what }) => what);
  if (missing.length === 0) {
    it(name, body);
  } else {
    it.skip(`${name} (not run: no ${missing.join(', no ')})`, body);
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
