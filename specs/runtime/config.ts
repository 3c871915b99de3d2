import { anyObject, array, map, object, optional, string } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';
import { Hooks } from './hooks.ts';
import { Linux } from './linux/linux.ts';
import { Mount } from './mounts.ts';
import { Process } from './process.ts';
import { Root } from './root.ts';

/** The version of the specification that these schemas describe. */
export const SPEC_VERSION = '1.3.0';

/** Free data; keys are not empty, by convention in reverse domain notation (`config.md#annotations`). */
export const Annotations = map(string, { section: 'config.md#annotations' });
export type Annotations = Infer<typeof Annotations>;

/** The whole of a bundle's `config.json` (`config.md`). */
export const Config = object(
  {
    /** SemVer of the specification that the bundle follows. */
    ociVersion: string,
    /** Required by `start`. */
    process: optional(Process),
    /** Required on Linux. */
    root: optional(Root),
    hostname: optional(string),
    domainname: optional(string),
    mounts: optional(array(Mount)),
    hooks: optional(Hooks),
    annotations: optional(Annotations),
    linux: optional(Linux),
    // What other platforms define is known by name and not looked into: it says nothing about a Linux container.
    vm: optional(anyObject),
    windows: optional(anyObject),
    solaris: optional(anyObject),
    zos: optional(anyObject),
    freebsd: optional(anyObject),
  },
  { section: 'config.md' },
);
export interface Config extends Infer<typeof Config> {}
