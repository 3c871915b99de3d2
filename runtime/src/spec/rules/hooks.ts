import type { Config } from '../../../../specs/runtime/config.ts';
import { HOOK_NAMES } from '../../../../specs/runtime/hooks.ts';
import { checkItems, isAbsolute, type Rule } from './rule.ts';

export const hookErrors: readonly Rule<Config>[] = [
  {
    id: 'hook-path-absolute',
    reference: 'config.md#posix-platform-hooks',
    check({ hooks }, report) {
      for (const name of HOOK_NAMES) {
        checkItems(hooks?.[name], `hooks.${name}`, report, ({ path }, reportItem) => {
          if (!isAbsolute(path)) reportItem('path', path, 'must be an absolute path');
        });
      }
    },
  },
];
