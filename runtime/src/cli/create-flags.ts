/** The flags that create and run have in common. */
import type { CreateOptions } from '../operations/create.ts';
import type { Sys } from '../sys/sys.ts';
import type { Flags, Values } from './args.ts';
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

export function createOptions(sys: Sys, id: string, flags: Values<typeof CREATE_FLAGS>): CreateOptions {
  return {
    id,
    bundle: absolutePath(sys, flags.bundle ?? ''),
    noPivot: flags['no-pivot'],
    noNewKeyring: flags['no-new-keyring'],
    pidFile: flags['pid-file'],
    pidfdSocketPath: flags['pidfd-socket'],
  };
}
