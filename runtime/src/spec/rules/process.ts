import type { Process } from '../../../../specs/runtime/process.ts';
import { checkItems, isAbsolute, type Rule } from './rule.ts';

const UMASK_MAX = 0o777;
/** The kernel keeps the size of a terminal in 16 bits. */
const CONSOLE_SIZE_MAX = 65535;
/** setresuid(2) and setresgid(2) take it as "leave as it is", so that the process would stay what the runtime is. */
const NO_ID = 0xffffffff;

export const processErrors: readonly Rule<Process>[] = [
  {
    id: 'process-args',
    reference: 'config.md#process',
    check({ args }, report) {
      if (args === undefined || args.length === 0) report('args', undefined, 'must not be empty: its first element is the command');
    },
  },
  {
    id: 'process-cwd-absolute',
    reference: 'config.md#process',
    check({ cwd }, report) {
      if (!isAbsolute(cwd)) report('cwd', cwd, 'must be an absolute path');
    },
  },
  {
    id: 'console-size',
    reference: 'config.md#process',
    check({ terminal, consoleSize }, report) {
      // Without a terminal the size must be ignored.
      if (terminal !== true || consoleSize === undefined) return;
      for (const side of ['height', 'width'] as const) {
        if (consoleSize[side] > CONSOLE_SIZE_MAX) report(`consoleSize.${side}`, consoleSize[side], `must be at most ${CONSOLE_SIZE_MAX}`);
      }
    },
  },
  {
    id: 'user-umask',
    reference: 'config.md#posix-platform-user',
    check({ user }, report) {
      const umask = user?.umask ?? 0;
      if (umask > UMASK_MAX) report('user.umask', umask, `must be at most ${UMASK_MAX}, octal 777 in decimal`);
    },
  },
  {
    id: 'user-id-reserved',
    reference: 'config.md#posix-platform-user',
    check({ user }, report) {
      const message = 'must be at most 4294967294';
      if (user?.uid === NO_ID) report('user.uid', NO_ID, message);
      if (user?.gid === NO_ID) report('user.gid', NO_ID, message);
      checkItems(user?.additionalGids, 'user.additionalGids', report, (gid, reportItem) => {
        if (gid === NO_ID) reportItem('', gid, message);
      });
    },
  },
];

export const processWarnings: readonly Rule<Process>[] = [
  {
    id: 'user-id-missing',
    reference: 'config.md#posix-platform-user',
    check({ user }, report) {
      if (user === undefined) return report('user', undefined, 'is required; uid 0 and gid 0 are assumed');
      if (user.uid === undefined) report('user.uid', undefined, 'is required; 0 is assumed');
      if (user.gid === undefined) report('user.gid', undefined, 'is required; 0 is assumed');
    },
  },
  {
    id: 'env-without-value',
    reference: 'config.md#process',
    check({ env }, report) {
      checkItems(env, 'env', report, (entry, reportItem) => {
        if (entry.indexOf('=') < 1) reportItem('', entry, 'should have the form NAME=value');
      });
    },
  },
];
