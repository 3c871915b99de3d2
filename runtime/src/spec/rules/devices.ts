import type { Config } from '../../../../specs/runtime/config.ts';
import type { Device } from '../../../../specs/runtime/linux/devices.ts';
import { checkItems, isAbsolute, type Report, type Rule } from './rule.ts';

const REFERENCE = 'config-linux.md#devices';

/** The kernel's device numbers have 12 and 20 bits. */
const NUMBER_MAX = { major: 0xfff, minor: 0xfffff } as const;

export const deviceErrors: readonly Rule<Config>[] = [
  forEachDevice('device-path-absolute', ({ path }, report) => {
    if (!isAbsolute(path)) report('path', path, 'must be an absolute path');
  }),
  forEachDevice('device-numbers', (device, report) => {
    if (device.type === 'p') return;
    for (const name of ['major', 'minor'] as const) {
      const number = device[name];
      if (number === undefined) report(name, undefined, `is required for the device type ${device.type}`);
      else if (number < 0 || number > NUMBER_MAX[name]) report(name, number, `must be from 0 to ${NUMBER_MAX[name]}`);
    }
  }),
];

export const deviceWarnings: readonly Rule<Config>[] = [
  uniqueInDevices('device-duplicate-path', ({ path }) => path, 'has the path of another device'),
  uniqueInDevices(
    'device-duplicate-number',
    ({ type, major, minor }) => (type === 'p' ? undefined : `${type} ${major}:${minor}`),
    'should not have the type and numbers of another device',
  ),
];

function forEachDevice(id: string, check: (device: Device, report: Report) => void): Rule<Config> {
  return { id, reference: REFERENCE, check: ({ linux }, report) => checkItems(linux?.devices, 'linux.devices', report, check) };
}

/** A rule that no two devices have the same key. A privileged container brings hundreds of them, so they are not compared in pairs. */
function uniqueInDevices(id: string, keyOf: (device: Device) => string | undefined, message: string): Rule<Config> {
  return {
    id,
    reference: REFERENCE,
    check({ linux }, report) {
      const seen = new Set<string>();
      checkItems(linux?.devices, 'linux.devices', report, (device, reportItem) => {
        const key = keyOf(device);
        if (key === undefined) return;
        if (seen.has(key)) reportItem('', key, message);
        seen.add(key);
      });
    },
  };
}
