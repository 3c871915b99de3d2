import type { Config } from '../../../../specs/runtime/config.ts';
import { hasNamespace } from '../namespaces.ts';
import type { Rule } from './rule.ts';

/** What uname(2) has room for. */
const NAME_LENGTH_MAX = 64;

export const utsErrors: readonly Rule<Config>[] = (['hostname', 'domainname'] as const).flatMap((field) => [
  {
    id: `${field}-uts-namespace`,
    reference: `config.md#${field}`,
    check(config: Config, report) {
      if (config[field] !== undefined && !hasNamespace(config, 'uts')) {
        report(field, config[field], 'cannot be set without a uts namespace in linux.namespaces');
      }
    },
  },
  {
    id: `${field}-length`,
    reference: `config.md#${field}`,
    check(config: Config, report) {
      const name = config[field] ?? '';
      if (name.length > NAME_LENGTH_MAX) report(field, name, `must have at most ${NAME_LENGTH_MAX} characters`);
    },
  },
]) satisfies Rule<Config>[];
