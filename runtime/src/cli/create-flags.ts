/** The flags that create and run have in common. */
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

export function createOptions({ sys, flags, globals, operands }: CreateInvocation): CreateOptions {
  return {
    id: operands[0] ?? '',
    bundle: absolutePath(sys, flags.bundle ?? ''),
    noPivot: flags['no-pivot'],
    noNewKeyring: flags['no-new-keyring'],
    cgroupManager: globals.cgroupManager,
    pidFile: flags['pid-file'],
    pidfdSocketPath: flags['pidfd-socket'],
  };
}
