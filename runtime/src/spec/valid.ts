/**
 * The types of what has been checked. Only `load.ts` makes them; whoever gets one need not check anything again that a configuration alone can tell.
 * What depends on the host (does the path exist, is it a namespace, has the kernel the feature) is found out when it is used.
 */

import type { Config } from '../../../specs/runtime/config.ts';
import type { CapabilityName, CapabilitySet } from '../../../specs/runtime/linux/capabilities.ts';
import type { LinuxResources } from '../../../specs/runtime/linux/resources.ts';
import type { Process, User } from '../../../specs/runtime/process.ts';
import type { Root } from '../../../specs/runtime/root.ts';

/** Exists for the compiler only: names the check that a value has passed. */
declare const CHECKED: unique symbol;

/** Unknown capabilities have been dropped, with a warning. */
export type ValidCapabilities = { readonly [Set in CapabilitySet]?: readonly CapabilityName[] };

export interface ValidUser extends User {
  readonly uid: number;
  readonly gid: number;
}

export interface ValidProcess extends Process {
  readonly [CHECKED]: 'process';
  readonly args: readonly [string, ...string[]];
  readonly user: ValidUser;
  readonly capabilities?: ValidCapabilities;
}

export interface ValidResources extends LinuxResources {
  readonly [CHECKED]: 'resources';
}

export interface ValidConfig extends Config {
  readonly [CHECKED]: 'config';
  readonly root: Root;
  /** Optional in the specification until `start`. */
  readonly process?: ValidProcess;
}
