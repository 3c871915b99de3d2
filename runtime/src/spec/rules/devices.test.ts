import type { Device, NetDevice } from '../../../../specs/runtime/linux/devices.ts';
import { findErrors, findWarnings, namespaces } from '../test/findings.ts';

describe('deviceErrors', () => {
  it.each<[Partial<Device>, string[]]>([
    [{}, []],
    [{ type: 'u', fileMode: 0o20666 }, []],
    [{ path: 'dev/x' }, ['device-path-absolute linux.devices[0].path']],
    [{ major: 4095, minor: 1048575 }, []],
    [{ major: 4096, minor: -1 }, ['device-numbers linux.devices[0].major', 'device-numbers linux.devices[0].minor']],
    [{ minor: 18446744073709551615n }, ['type linux.devices[0].minor']],
    [{ type: 'x' as 'c' }, ['type linux.devices[0].type']],
  ])('%p', (change, expected) => {
    expect(findErrors({ linux: { devices: [{ type: 'c', path: '/dev/x', major: 1, minor: 2, ...change }] } })).toEqual(expected);
  });

  it('requires numbers of everything but a FIFO', () => {
    const find = (type: Device['type']) => findErrors({ linux: { devices: [{ type, path: '/dev/x' }] } });
    expect(find('p')).toEqual([]);
    expect(find('b')).toEqual(['device-numbers linux.devices[0].major', 'device-numbers linux.devices[0].minor']);
  });
});

describe('deviceWarnings', () => {
  it('warns about what is given twice', () => {
    const device: Device = { type: 'c', path: '/dev/x', major: 1, minor: 2 };
    const find = (second: Partial<Device>) => findWarnings({ linux: { devices: [device, { ...device, ...second }] } });
    expect(find({ path: '/dev/y' })).toEqual(['device-duplicate-number linux.devices[1]']);
    expect(find({ minor: 3 })).toEqual(['device-duplicate-path linux.devices[1]']);
    expect(find({ path: '/dev/y', type: 'b' })).toEqual([]);
  });
});

describe('netDeviceErrors', () => {
  it.each<[Record<string, NetDevice>, string[]]>([
    [{ eth0: {}, eth1: { name: 'ctr' }, eth2: { name: 'net%d' }, eth3: { name: 'net%d' } }, []],
    [{ 'eth0.100': {}, abcdefghijklmno: {} }, []],
    [{ abcdefghijklmnop: {} }, ['net-device-name linux.netDevices.abcdefghijklmnop']],
    [{ 'a/b': {} }, ['net-device-name linux.netDevices["a/b"]']],
    [{ '': {} }, ['net-device-name linux.netDevices[""]']],
    ...['.', '..', 'a:b', 'a b', 'abcdefghijklmnop', '%s', '%d%d'].map<[Record<string, NetDevice>, string[]]>((name) => [
      { eth0: { name } },
      ['net-device-name linux.netDevices.eth0.name'],
    ]),
    [{ eth0: { name: 'x' }, eth1: { name: 'x' } }, ['net-device-duplicate linux.netDevices.eth1.name']],
    [{ eth0: {}, eth1: { name: 'eth0' } }, ['net-device-duplicate linux.netDevices.eth1.name']],
  ])('%j', (netDevices, expected) => {
    expect(findErrors({ linux: { ...namespaces('network'), netDevices } })).toEqual(expected);
  });

  it('requires a network namespace', () => {
    expect(findErrors({ linux: { netDevices: { eth0: {} } } })).toEqual(['net-devices-namespace linux.netDevices']);
    expect(findErrors({ linux: { netDevices: {} } })).toEqual([]);
  });
});
