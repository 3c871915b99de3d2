/** The filter of system calls that RUN steps have: docker's, as far as the machine can filter. */

import { RuntimeError } from '../../../../runtime/src/base/errors.ts';
import { Library } from '../../../../runtime/src/seccomp/library.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import type { Seccomp } from '../../../../specs/runtime/linux/seccomp.ts';
import { CAPABILITIES } from '../../image/bundle-config.ts';
import { seccompProfile } from '../../image/seccomp-profile.ts';

/** Undefined without libseccomp, of which `warn` tells. */
export function stepFilter(sys: Sys, warn: (text: string) => void): Seccomp | undefined {
  try {
    new Library(sys);
    return seccompProfile(CAPABILITIES, process.arch === 'arm64' ? 'arm64' : 'x64');
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    warn(`RUN steps have no filter of system calls: ${error.message}`);
    return undefined;
  }
}
