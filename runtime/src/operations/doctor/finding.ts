/** What `doctor` finds out: one sentence for each thing that containers need or may want. */
import { tryCall } from '../../linux/call.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';
import { findCommand } from '../find-command.ts';

/** ok: it works. limited: some containers will not work, or not as they ask. missing: no container works. */
export type Verdict = 'ok' | 'limited' | 'missing';

export interface Finding {
  readonly area: string;
  readonly subject: string;
  readonly verdict: Verdict;
  /** What there is or is not, and why. */
  readonly message: string;
  /** The one command that mends it, or the deed where no command does. */
  readonly remedy?: string;
}

/** What probes need of the outside world. */
export interface Examination {
  readonly context: Context;
  readonly sys: Sys;
  /** Root of the host. */
  readonly privileged: boolean;
}

/** Names of one package in the distributions whose package manager is known. */
export interface PackageNames {
  readonly debian: string;
  readonly fedora: string;
  readonly alpine: string;
  readonly arch: string;
  readonly suse: string;
}

const MANAGERS: readonly (readonly [string, keyof PackageNames, string])[] = [
  ['apt-get', 'debian', 'apt-get install -y'],
  ['dnf', 'fedora', 'dnf install -y'],
  ['apk', 'alpine', 'apk add'],
  ['pacman', 'arch', 'pacman -S --noconfirm'],
  ['zypper', 'suse', 'zypper --non-interactive install'],
];

/** The command that installs a package here. */
export function installCommand(sys: Sys, names: PackageNames): string {
  for (const [command, distribution, words] of MANAGERS) {
    if (findCommand(sys, command) !== undefined) return `${asRoot(sys)}${words} ${names[distribution]}`;
  }
  return `install ${names.debian} (Debian) or ${names.fedora} (Fedora)`;
}

/** In front of a command that only root can run. */
export function asRoot(sys: Sys): string {
  return tryCall(sys, 'geteuid') === 0 ? '' : 'sudo ';
}
