/** `--security-opt`. */

import { readFileSync } from 'node:fs';
import type { Seccomp } from '../../../specs/runtime/linux/seccomp.ts';
import { ContainerError, invalid } from './errors.ts';
import { messageOf } from './files.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** Undefined: the default profile. */
  readonly seccomp: Seccomp | 'unconfined' | undefined;
  readonly apparmor: string | undefined;
  readonly selinuxLabel: string | undefined;
  /** systempaths=unconfined: nothing of /proc and /sys is masked or read-only. */
  readonly areSystemPathsOpen: boolean;
}

/** @throws ContainerError invalid */
export function securityOptions(words: readonly string[]): SecurityOptions {
  const options: { -readonly [K in keyof SecurityOptions]: SecurityOptions[K] } = {
    noNewPrivileges: false,
    seccomp: undefined,
    apparmor: undefined,
    selinuxLabel: undefined,
    areSystemPathsOpen: false,
  };
  for (const word of words) {
    const match = /^([^=:]+)(?:[=:](.*))?$/.exec(word);
    const [name, value = 'true'] = [match?.[1], match?.[2]];
    if (name === 'no-new-privileges') options.noNewPrivileges = value === 'true';
    else if (name === 'seccomp') options.seccomp = value === 'unconfined' ? value : readProfile(value);
    else if (name === 'apparmor') options.apparmor = value;
    else if (name === 'label') options.selinuxLabel = value;
    else if (name === 'systempaths' && value === 'unconfined') options.areSystemPathsOpen = true;
    else throw invalid(`invalid --security-opt: ${JSON.stringify(word)}`);
  }
  return options;
}

/** A profile in docker's own form has rules on architectures and capabilities; it is a superset of the runtime's form. */
function readProfile(path: string): Seccomp {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && 'defaultAction' in value) return value as Seccomp;
  } catch (error) {
    throw new ContainerError('invalid', `opening seccomp profile (${path}) failed: ${messageOf(error)}`, { cause: error });
  }
  throw invalid(`seccomp profile ${path} has no defaultAction`);
}
