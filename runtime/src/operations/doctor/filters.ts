/** System call filters: the kernel's side, and the library that compiles them. */
import { SECCOMP_FLAGS } from '../../../../specs/runtime/linux/seccomp.ts';
import { RuntimeError } from '../../base/errors.ts';
import { tryCall } from '../../linux/call.ts';
import { supportedFlags } from '../../seccomp/flags.ts';
import { Library, libraryVersion } from '../../seccomp/library.ts';
import { ACTION_VALUES } from '../../seccomp/return-values.ts';
import { type Examination, type Finding, installCommand } from './finding.ts';

const AREA = 'seccomp';
const SECCOMP_GET_ACTION_AVAIL = 2;
const LIBSECCOMP = { debian: 'libseccomp2', fedora: 'libseccomp', alpine: 'libseccomp', arch: 'libseccomp', suse: 'libseccomp2' };

export function examineFilters({ sys }: Examination): Finding[] {
  const actions = Object.entries(ACTION_VALUES).filter(([, value]) => {
    return tryCall(sys, 'seccomp', SECCOMP_GET_ACTION_AVAIL, 0, new Uint32Array([value]).buffer) < 0;
  });
  const unknownFlags = SECCOMP_FLAGS.filter((flag) => !supportedFlags(sys).includes(flag));
  const lacking = [...actions.map(([name]) => name), ...unknownFlags];
  return [kernelFinding(actions.length === Object.keys(ACTION_VALUES).length, lacking), libraryFinding(sys)];
}

function kernelFinding(none: boolean, lacking: readonly string[]): Finding {
  const found = { area: AREA, subject: 'kernel' };
  if (none) return { ...found, verdict: 'limited', message: 'has no filters', remedy: 'boot a kernel with CONFIG_SECCOMP_FILTER' };
  if (lacking.length === 0) return { ...found, verdict: 'ok', message: 'knows all actions and flags' };
  return { ...found, verdict: 'limited', message: `does not know ${lacking.join(', ')}`, remedy: 'boot a newer kernel' };
}

function libraryFinding(sys: Examination['sys']): Finding {
  const found = { area: AREA, subject: 'libseccomp' };
  try {
    new Library(sys);
    return { ...found, verdict: 'ok', message: `version ${libraryVersion(sys) ?? 'unknown'}` };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return {
      ...found,
      verdict: 'limited',
      message: 'is not there, or too old: containers with linux.seccomp are refused',
      remedy: installCommand(sys, LIBSECCOMP),
    };
  }
}
