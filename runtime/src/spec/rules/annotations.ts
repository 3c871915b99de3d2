import type { Config } from '../../../../specs/runtime/config.ts';
import type { Rule } from './rule.ts';

export const annotationErrors: readonly Rule<Config>[] = [
  {
    id: 'annotation-key',
    reference: 'config.md#annotations',
    check({ annotations = {} }, report) {
      if (Object.hasOwn(annotations, '')) report('annotations', undefined, 'must not have an empty key');
    },
  },
];
