import { basename } from 'node:path';
import { Features } from '../../specs/runtime/features.ts';
import { validate } from '../../specs/schema/validate.ts';
import { type CommandOptions, type Result, runCommand } from './command.ts';
import { compareVersions } from './version.ts';

/** A runtime under test: an executable with runc's command line. */
export interface Runtime {
  readonly path: string;
  /** As in the first line of `--version`. */
  readonly name: string;
  readonly version: string;
  /** The latest version of the specification that it says it follows. */
  readonly specVersion: string;
  /** What `features` prints; undefined where there is no such command. */
  readonly features: unknown;
}

/** Asks a runtime who it is. Throws when it is not to be executed. */
export async function identify(path: string): Promise<Runtime> {
  const { status, stdout, stderr } = await runCommand(path, ['--version']);
  if (status !== 0) throw new Error(`${path} --version: exit status ${status}: ${stderr}`);
  const first = /^(\S+)\s+version\s+(\S+)/m.exec(stdout);
  const spec = /^spec:\s*(\S+)/m.exec(stdout)?.[1] ?? '1.0.0';
  const features = await readFeatures(path);
  const checked = validate(Features, structuredClone(features));
  const greatest = checked.valid ? checked.value.ociVersionMax : spec;
  return {
    path,
    name: first?.[1] ?? basename(path),
    version: first?.[2] ?? '0.0.0',
    specVersion: compareVersions(greatest, spec) > 0 ? greatest : spec,
    features,
  };
}

async function readFeatures(path: string): Promise<unknown> {
  const { status, stdout } = await runCommand(path, ['features']);
  if (status !== 0) return undefined;
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

/** Runs one command of a runtime, with a state directory of its own. */
export function invoke(runtime: Runtime, root: string, args: readonly string[], options?: CommandOptions): Promise<Result> {
  return runCommand(runtime.path, ['--root', root, ...args], options);
}
