import type { Config } from '../../../../specs/runtime/config.ts';
import type { Linux } from '../../../../specs/runtime/linux/linux.ts';
import type { NamespaceType } from '../../../../specs/runtime/linux/namespaces.ts';
import type { Process } from '../../../../specs/runtime/process.ts';
import { checkConfig } from '../load.ts';
import { ConfigError, type Problem } from '../problems.ts';

/** What a test changes in an otherwise faultless configuration. */
export interface Changes extends Partial<Omit<Config, 'process' | 'linux'>> {
  readonly process?: Partial<Process>;
  readonly linux?: Partial<Linux>;
}

/** A faultless configuration with the changes, merged two levels deep. It has a mount namespace and no other. */
export function makeConfig({ process = {}, linux = {}, ...rest }: Changes = {}): Config {
  return {
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    process: { cwd: '/', args: ['sh'], user: { uid: 0, gid: 0 }, ...process },
    linux: { namespaces: [{ type: 'mount' }], ...linux },
    ...rest,
  };
}

/** Entries for `linux.namespaces`: new namespaces of these types. */
export function namespaces(...types: NamespaceType[]): { readonly namespaces: Linux['namespaces'] & object } {
  return { namespaces: types.map((type) => ({ type })) };
}

/** The errors in the changed configuration, as `rule path`. */
export function findErrors(changes: Changes): string[] {
  try {
    checkConfig(makeConfig(changes));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describe);
    throw error;
  }
  return [];
}

/** The warnings for the changed configuration, which has no errors, as `rule path`. */
export function findWarnings(changes: Changes): string[] {
  return checkConfig(makeConfig(changes)).warnings.map(describe);
}

function describe({ rule, path }: Problem): string {
  return `${rule} ${path}`;
}
