import type { Config } from '../../../../specs/runtime/config.ts';
import type { NamespaceType } from '../../../../specs/runtime/linux/namespaces.ts';
import { findNamespace, hasNamespace } from '../namespaces.ts';
import { checkItems, isAbsolute, type Rule } from './rule.ts';

const REFERENCE = 'config-linux.md#namespaces';
const TIME_REFERENCE = 'config-linux.md#offset-for-time-namespace';
const NANOSECONDS = 1_000_000_000;

export const namespaceErrors: readonly Rule<Config>[] = [
  {
    id: 'namespace-duplicate',
    reference: REFERENCE,
    check({ linux }, report) {
      const seen = new Set<NamespaceType>();
      checkItems(linux?.namespaces, 'linux.namespaces', report, ({ type }, reportItem) => {
        if (seen.has(type)) reportItem('type', type, 'must not be given twice');
        seen.add(type);
      });
    },
  },
  {
    id: 'namespace-path-absolute',
    reference: REFERENCE,
    check({ linux }, report) {
      checkItems(linux?.namespaces, 'linux.namespaces', report, ({ path }, reportItem) => {
        if (path !== undefined && !isAbsolute(path)) reportItem('path', path, 'must be an absolute path');
      });
    },
  },
  {
    id: 'time-offsets-namespace',
    reference: TIME_REFERENCE,
    check(config, report) {
      if (Object.keys(config.linux?.timeOffsets ?? {}).length === 0) return;
      const namespace = findNamespace(config, 'time');
      if (namespace === undefined) report('linux.timeOffsets', undefined, 'cannot be set without a time namespace in linux.namespaces');
      // The clocks of a time namespace are fixed when its first process enters.
      else if (namespace.path !== undefined) report('linux.timeOffsets', undefined, 'cannot be set for a time namespace that is joined');
    },
  },
  {
    id: 'time-offset-nanosecs',
    reference: TIME_REFERENCE,
    check({ linux }, report) {
      for (const clock of ['monotonic', 'boottime'] as const) {
        const nanosecs = linux?.timeOffsets?.[clock]?.nanosecs ?? 0;
        if (nanosecs >= NANOSECONDS) report(`linux.timeOffsets.${clock}.nanosecs`, nanosecs, 'must be less than a second');
      }
    },
  },
  {
    id: 'restricted-paths-namespace',
    reference: 'config-linux.md#masked-paths',
    check(config, report) {
      if (hasNamespace(config, 'mount')) return;
      for (const field of ['maskedPaths', 'readonlyPaths'] as const) {
        // In the runtime's own namespace it would be the host's files that disappear.
        if (config.linux?.[field]?.length)
          report(`linux.${field}`, undefined, 'cannot be set without a mount namespace in linux.namespaces');
      }
    },
  },
  {
    id: 'restricted-path-absolute',
    reference: 'config-linux.md#masked-paths',
    check({ linux }, report) {
      for (const field of ['maskedPaths', 'readonlyPaths'] as const) {
        checkItems(linux?.[field], `linux.${field}`, report, (path, reportItem) => {
          if (!isAbsolute(path)) reportItem('', path, 'must be an absolute path');
        });
      }
    },
  },
];
