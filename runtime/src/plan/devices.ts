/** Device nodes and the links of /dev (config-linux.md, "Default Devices", "Devices", "Dev symbolic links"). */
import type { Config } from '../../../specs/runtime/config.ts';
import type { Device } from '../../../specs/runtime/linux/devices.ts';
import type { HostFacts } from './host-facts.ts';
import { parseMountOptions } from './mount-options.ts';
import { cleanPath } from './mounts.ts';
import { planError } from './problem.ts';
import type { DeviceStep, SymlinkStep } from './steps.ts';

/** [path, major, minor], all readable and writable by everybody. */
const DEFAULT_DEVICES: readonly (readonly [string, number, number])[] = [
  ['/dev/null', 1, 3],
  ['/dev/zero', 1, 5],
  ['/dev/full', 1, 7],
  ['/dev/random', 1, 8],
  ['/dev/urandom', 1, 9],
  ['/dev/tty', 5, 0],
];

const PERMISSION_BITS = 0o7777;

function configured(device: Device, index: number, bind: boolean): DeviceStep {
  const path = cleanPath(device.path);
  if (path === '/' || path.startsWith('/proc/')) throw planError(`linux.devices[${index}].path`, `${device.path} cannot be a device node`);
  return {
    kind: 'device',
    configPath: `linux.devices[${index}]`,
    path,
    type: device.type === 'u' ? 'c' : device.type,
    major: Number(device.major ?? 0),
    minor: Number(device.minor ?? 0),
    mode: (device.fileMode ?? 0o666) & PERMISSION_BITS,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
    // A FIFO can be made in any namespace.
    bind: bind && device.type !== 'p',
  };
}

/** Whether the runtime furnishes /dev: not when the host's is bind-mounted there. */
export function furnishesDev(config: Config): boolean {
  return !(config.mounts ?? []).some(
    (mount) => cleanPath(mount.destination) === '/dev' && parseMountOptions(mount.options ?? []).bind !== 'no',
  );
}

/** `bind`: nodes cannot be made (in a user namespace), so the host's are bind-mounted. */
export function planDevices(config: Config, bind: boolean): DeviceStep[] {
  const own = (config.linux?.devices ?? []).map((device, index) => configured(device, index, bind));
  const defaults = DEFAULT_DEVICES.filter(([path]) => !own.some((device) => device.path === path)).map(
    ([path, major, minor]): DeviceStep => ({ kind: 'device', path, type: 'c', major, minor, mode: 0o666, uid: 0, gid: 0, bind }),
  );
  return [...defaults, ...own];
}

export function planLinks(host: HostFacts): SymlinkStep[] {
  const link = (path: string, target: string, replace = false): SymlinkStep => ({ kind: 'symlink', path, target, replace });
  return [
    link('/dev/ptmx', 'pts/ptmx', true),
    link('/dev/fd', '/proc/self/fd'),
    link('/dev/stdin', '/proc/self/fd/0'),
    link('/dev/stdout', '/proc/self/fd/1'),
    link('/dev/stderr', '/proc/self/fd/2'),
    ...(host.kcore ? [link('/dev/core', '/proc/kcore')] : []),
  ];
}
