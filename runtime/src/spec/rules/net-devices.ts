import { formatStep } from '../../../../specs/json/json-path.ts';
import type { Config } from '../../../../specs/runtime/config.ts';
import { hasNamespace } from '../namespaces.ts';
import type { Rule } from './rule.ts';

const REFERENCE = 'config-linux.md#network-devices';

/** The kernel's IFNAMSIZ, less the terminating NUL. */
const NAME_MAX = 15;

export const netDeviceErrors: readonly Rule<Config>[] = [
  {
    id: 'net-devices-namespace',
    reference: REFERENCE,
    check(config, report) {
      const isEmpty = Object.keys(config.linux?.netDevices ?? {}).length === 0;
      if (!isEmpty && !hasNamespace(config, 'network')) {
        report('linux.netDevices', undefined, 'cannot be moved without a network namespace in linux.namespaces');
      }
    },
  },
  {
    id: 'net-device-name',
    reference: REFERENCE,
    check({ linux }, report) {
      for (const [hostName, { name }] of Object.entries(linux?.netDevices ?? {})) {
        const path = `linux.netDevices${dotted(hostName)}`;
        if (!isDeviceName(hostName)) report(path, hostName, 'must have the name of a network device as its key');
        // The kernel puts a number in the place of %d.
        if (name !== undefined && !(isDeviceName(name) && isTemplate(name)))
          report(`${path}.name`, name, 'must be the name of a network device');
      }
    },
  },
  {
    id: 'net-device-duplicate',
    reference: REFERENCE,
    check({ linux }, report) {
      const seen = new Set<string>();
      for (const [hostName, { name = hostName }] of Object.entries(linux?.netDevices ?? {})) {
        if (seen.has(name)) report(`linux.netDevices${dotted(hostName)}.name`, name, 'is the name of another device in the container');
        if (!name.includes('%')) seen.add(name);
      }
    },
  },
];

function dotted(key: string): string {
  const step = formatStep(key);
  return step.startsWith('[') ? step : `.${step}`;
}

/** What the kernel takes as a name (`dev_valid_name`), plus `%`, which it takes in templates. */
function isDeviceName(name: string): boolean {
  return /^[^/:\s]+$/.test(name) && name.length <= NAME_MAX && name !== '.' && name !== '..';
}

/** A percent sign can only be the one in `%d`. */
function isTemplate(name: string): boolean {
  return !name.replace('%d', '').includes('%');
}
