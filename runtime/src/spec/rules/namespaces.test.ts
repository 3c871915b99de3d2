import type { Linux } from '../../../../specs/runtime/linux/linux.ts';
import { findErrors, namespaces } from '../test/findings.ts';

describe('namespaceErrors', () => {
  it.each<[Partial<Linux>, string[]]>([
    [namespaces('pid', 'network', 'mount', 'ipc', 'uts', 'cgroup', 'time'), []],
    [namespaces('pid', 'mount', 'pid'), ['namespace-duplicate linux.namespaces[2].type']],
    [{ namespaces: [{ type: 'network', path: '/run/netns/a' }] }, []],
    [{ namespaces: [{ type: 'network', path: '' }] }, []],
    [{ namespaces: [{ type: 'network', path: 'netns/a' }] }, ['namespace-path-absolute linux.namespaces[0].path']],
    [{ ...namespaces('time'), timeOffsets: { boottime: { secs: -1, nanosecs: 999999999 }, monotonic: {} } }, []],
    [{ ...namespaces('time'), timeOffsets: { boottime: { nanosecs: 1e9 } } }, ['time-offset-nanosecs linux.timeOffsets.boottime.nanosecs']],
    [{ timeOffsets: { boottime: { secs: 1 } } }, ['time-offsets-namespace linux.timeOffsets']],
    [{ timeOffsets: {} }, []],
    [
      { namespaces: [{ type: 'time', path: '/proc/1/ns/time' }], timeOffsets: { monotonic: { secs: 9223372036854775807n } } },
      ['time-offsets-namespace linux.timeOffsets'],
    ],
    [{ ...namespaces('time'), timeOffsets: { realtime: { secs: 1 } } as never }, ['unknown-property linux.timeOffsets.realtime']],
    [{ maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] }, []],
    [{ ...namespaces('pid'), maskedPaths: ['/proc/kcore'] }, ['restricted-paths-namespace linux.maskedPaths']],
    [{ ...namespaces(), maskedPaths: [], readonlyPaths: ['/proc/sys'] }, ['restricted-paths-namespace linux.readonlyPaths']],
    [
      { maskedPaths: ['/a', 'b'], readonlyPaths: [''] },
      ['restricted-path-absolute linux.maskedPaths[1]', 'restricted-path-absolute linux.readonlyPaths[0]'],
    ],
  ])('%p', (linux, expected) => {
    expect(findErrors({ linux })).toEqual(expected);
  });
});
