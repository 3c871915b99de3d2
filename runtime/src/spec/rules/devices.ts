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
  forEachDevice('device-duplicate-path', ({ path }, report, before) => {
    if (before.some((other) => other.path === path)) report('path', path, 'is given twice');
  }),
  forEachDevice('device-duplicate-number', ({ type, major, minor }, report, before) => {
    const isSame = (other: Device) => other.type === type && other.major === major && other.minor === minor;
    if (type !== 'p' && before.some(isSame)) report('', undefined, `should not be the second device with the numbers ${major}:${minor}`);
  }),
];

function forEachDevice(id: string, check: (device: Device, report: Report, before: readonly Device[]) => void): Rule<Config> {
  return {
    id,
    reference: REFERENCE,
    check({ linux }, report) {
      const before: Device[] = [];
      checkItems(linux?.devices, 'linux.devices', report, (device, reportItem) => {
        check(device, reportItem, before);
        before.push(device);
      });
    },
  };
}
