import type { Config } from '../../../../specs/runtime/config.ts';
import { hasNamespace } from '../namespaces.ts';
import type { Rule } from './rule.ts';

export const rootErrors: readonly Rule<Config>[] = [
  {
    id: 'root-required',
    reference: 'config.md#root',
    check({ root }, report) {
      if (root === undefined) report('root', undefined, 'is required');
    },
  },
  {
    id: 'root-path',
    reference: 'config.md#root',
    check({ root }, report) {
      if (root?.path === '') report('root.path', root.path, 'must not be empty');
    },
  },
];

export const rootWarnings: readonly Rule<Config>[] = [
  {
    id: 'mount-namespace-missing',
    reference: 'config-linux.md#namespaces',
    check(config, report) {
      if (hasNamespace(config, 'mount')) return;
      const message = 'takes effect in the namespace of the runtime, and outlives the container: linux.namespaces has no mount namespace';
      if (config.mounts !== undefined && config.mounts.length > 0) report('mounts', undefined, message);
      if (config.root?.readonly === true) report('root.readonly', true, message);
      if (config.linux?.rootfsPropagation !== undefined) report('linux.rootfsPropagation', config.linux.rootfsPropagation, message);
    },
  },
];
