/** The process that `exec` executes: from its own document, or from the container's process with changes. Pure. */
import type { Capabilities } from '../../../specs/runtime/linux/capabilities.ts';
import type { Process, User } from '../../../specs/runtime/process.ts';
import { RuntimeError } from '../base/errors.ts';
import { capabilityNumber } from '../plan/capabilities.ts';
import { checkProcess, type LoadedProcess } from '../spec/load.ts';
import type { ValidConfig, ValidProcess } from '../spec/valid.ts';

/** What the command line changes of the container's process. */
export interface ProcessChanges {
  readonly args?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  /** Added; the last definition of a variable wins. */
  readonly env?: readonly string[] | undefined;
  /** Without a gid the container's process's stays. */
  readonly user?: { readonly uid: number; readonly gid?: number | undefined } | undefined;
  /** Added. */
  readonly additionalGids?: readonly number[] | undefined;
  /** Added. With or without CAP_, in any case. */
  readonly capabilities?: readonly string[] | undefined;
  readonly noNewPrivileges?: boolean | undefined;
  readonly processLabel?: string | undefined;
  readonly apparmor?: string | undefined;
  /** The process has a terminal exactly when this is true, whatever the container's has. */
  readonly tty?: boolean | undefined;
}

/**
 * The container's process as somebody else.
 * @throws ConfigError with everything that is wrong; RuntimeError 'exec-args' without a command
 */
export function changedProcess(config: ValidConfig, changes: ProcessChanges): LoadedProcess {
  const args = changes.args ?? [];
  if (args.length === 0) throw new RuntimeError('exec-args', 'exec args cannot be empty');
  const base: Process = config.process ?? { cwd: '/' };
  const { cwd, processLabel, apparmor, noNewPrivileges } = changes;
  return checkProcess({
    ...base,
    args: [...args],
    env: [...(base.env ?? []), ...(changes.env ?? [])],
    terminal: changes.tty === true,
    user: changedUser(base.user, changes),
    ...(cwd === undefined || cwd === '' ? {} : { cwd }),
    ...(processLabel === undefined || processLabel === '' ? {} : { selinuxLabel: processLabel }),
    ...(apparmor === undefined || apparmor === '' ? {} : { apparmorProfile: apparmor }),
    ...(noNewPrivileges === undefined ? {} : { noNewPrivileges }),
    ...withCapabilities(base.capabilities, changes.capabilities ?? []),
  });
}

function changedUser(user: User | undefined, { user: other, additionalGids = [] }: ProcessChanges): User {
  const groups = [...(user?.additionalGids ?? []), ...additionalGids];
  return {
    ...user,
    ...(other === undefined ? {} : { uid: other.uid }),
    ...(other?.gid === undefined ? {} : { gid: other.gid }),
    ...(groups.length === 0 ? {} : { additionalGids: groups }),
  };
}

/** Never the inheritable set: an executed file with inheritable capabilities of its own would get them (CVE-2022-29162). */
function withCapabilities(base: Capabilities | undefined, added: readonly string[]): { readonly capabilities?: Capabilities } {
  if (added.length === 0) return {};
  const names = added.map((name) => {
    if (capabilityNumber(name) === undefined)
      throw new RuntimeError('exec-cap', `unknown capability ${JSON.stringify(name)}`, { configPath: '--cap' });
    const upper = name.toUpperCase();
    return upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  const join = (set: readonly string[] | undefined): string[] => [...new Set([...(set ?? []), ...names])];
  return {
    capabilities: {
      ...base,
      bounding: join(base?.bounding),
      effective: join(base?.effective),
      permitted: join(base?.permitted),
    },
  };
}

/** What a document leaves open is as with the container's own process: it must not be a way around a limit or a profile. */
export function completedProcess(config: ValidConfig, process: ValidProcess): ValidProcess {
  const own = config.process;
  if (own === undefined) return process;
  const { capabilities, rlimits, apparmorProfile, selinuxLabel, scheduler, ioPriority, execCPUAffinity, oomScoreAdj } = own;
  const defaults = { capabilities, rlimits, apparmorProfile, selinuxLabel, scheduler, ioPriority, execCPUAffinity, oomScoreAdj };
  const given = Object.fromEntries(Object.entries(process).filter(([, value]) => value !== undefined && value !== ''));
  return { ...defaults, ...given } as ValidProcess;
}
