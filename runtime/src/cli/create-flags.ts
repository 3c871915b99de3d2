/** The flags that create and run have in common. */
import { RuntimeError } from '../base/errors.ts';
import type { CreateOptions } from '../operations/create.ts';
import type { Flags } from './args.ts';
import type { Invocation } from './command.ts';
import { absolutePath } from './paths.ts';

export const CREATE_FLAGS = {
  bundle: { kind: 'text', short: 'b' },
  'console-socket': { kind: 'text' },
  'pid-file': { kind: 'text' },
  'pidfd-socket': { kind: 'text' },
  'no-pivot': { kind: 'switch' },
  'no-new-keyring': { kind: 'switch' },
  'preserve-fds': { kind: 'number' },
} as const satisfies Flags;

type CreateInvocation = Pick<Invocation<typeof CREATE_FLAGS>, 'sys' | 'flags' | 'globals' | 'operands'>;

/** @throws RuntimeError 'not-supported' for a way to make cgroups that does not exist yet */
export function createOptions({ sys, flags, globals, operands }: CreateInvocation): CreateOptions {
  if (globals.cgroupManager !== 'cgroupfs') {
    // Without the driver, slice:prefix:name would quietly become an ordinary path.
    throw new RuntimeError('not-supported', `not supported by this version of tsrun: the ${globals.cgroupManager} cgroup manager`, {
      hint: 'use the cgroupfs driver (with containerd: SystemdCgroup = false)',
    });
  }
  return {
    id: operands[0] ?? '',
    bundle: absolutePath(sys, flags.bundle ?? ''),
    noPivot: flags['no-pivot'],
    noNewKeyring: flags['no-new-keyring'],
    pidFile: flags['pid-file'],
    pidfdSocketPath: flags['pidfd-socket'],
  };
}
