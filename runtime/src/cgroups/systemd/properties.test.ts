import type { LinuxResources } from '../../../../specs/runtime/linux/resources.ts';
import { planResources } from '../resources.ts';
import { annotationProperties, dependsOnVersion, resourceProperties, startOnlyProperties, unitProperties } from './properties.ts';
import type { Property } from './value.ts';

const INFINITY = 2n ** 64n - 1n;

function byName(properties: readonly Property[]): Record<string, unknown> {
  return Object.fromEntries(properties.map(({ name, value }) => [name, value]));
}

describe('unitProperties', () => {
  it('makes a scope around a process', () => {
    const unit = { slice: 'machine.slice', unit: 'tsrun-c1.scope' };
    expect(byName(unitProperties({ unit, id: 'c1', pid: 7 }))).toEqual({
      Description: 'tsrun container c1',
      Slice: 'machine.slice',
      Delegate: true,
      PIDs: [7],
      MemoryAccounting: true,
      CPUAccounting: true,
      IOAccounting: true,
      TasksAccounting: true,
      DefaultDependencies: false,
    });
  });

  it('makes a slice without processes', () => {
    const properties = byName(unitProperties({ unit: { slice: 'a.slice', unit: 'a-b.slice' }, id: 'x', pid: 7 }));
    expect(properties).toMatchObject({ Wants: ['a.slice'] });
    expect(Object.keys(properties)).not.toContain('PIDs');
  });
});

describe('resourceProperties', () => {
  it.each<[LinuxResources, Record<string, unknown>]>([
    [{ memory: { limit: 100, swap: 150, reservation: 50 } }, { MemoryMax: 100n, MemorySwapMax: 50n, MemoryLow: 50n }],
    [{ memory: { limit: -1 } }, { MemoryMax: INFINITY, MemorySwapMax: INFINITY }],
    [{ pids: { limit: 5 } }, { TasksMax: 5n }],
    [{ pids: { limit: 0 } }, { TasksMax: 1n }],
    [{ pids: { limit: -1 } }, { TasksMax: INFINITY }],
    [{ cpu: { shares: 512 } }, { CPUWeight: 59n }],
    [{ cpu: { quota: 50000 } }, { CPUQuotaPerSecUSec: 500000n }],
    [{ cpu: { quota: 50000, period: 200000 } }, { CPUQuotaPeriodUSec: 200000n, CPUQuotaPerSecUSec: 250000n }],
    [{ cpu: { quota: 5001, period: 10000 } }, { CPUQuotaPeriodUSec: 10000n, CPUQuotaPerSecUSec: 510000n }],
    [{ cpu: { quota: -1 } }, { CPUQuotaPerSecUSec: INFINITY }],
    [{ cpu: { cpus: '0-2,8', mems: '1' } }, { AllowedCPUs: [7, 1], AllowedMemoryNodes: [2] }],
    [{ unified: { 'memory.high': '5', 'memory.min': 'max', 'io.max': '8:0 rbps=1' } }, { MemoryHigh: 5n, MemoryMin: INFINITY }],
    [{ memory: { limit: 100 }, unified: { 'memory.max': '200' } }, { MemoryMax: 200n }],
    [{ cpu: { idle: 1 } }, { CPUWeight: 0n }],
    [{ cpu: { idle: 0, shares: 2 } }, { CPUWeight: 1n }],
  ])('gives %j', (resources, expected) => {
    expect(byName(resourceProperties(planResources(resources).writes, 252))).toEqual(expected);
  });

  it('leaves to the cgroup what an older systemd does not know', () => {
    const { writes } = planResources({ cpu: { idle: 1 } });
    expect(dependsOnVersion(writes)).toBe(true);
    expect(resourceProperties(writes, 251)).toEqual([]);
  });

  it.each(['x', '5-1', '0-99999999', '1,,2'])('refuses the list %j', (cpus) => {
    expect(() => resourceProperties(planResources({ cpu: { cpus } }).writes, 252)).toThrow('linux.resources.cpu.cpus: ');
  });
});

describe('startOnlyProperties', () => {
  it.each([
    ['1', 253, ['kill']],
    ['0', 253, ['continue']],
    ['1', 252, []],
    ['7', 253, []],
  ])('turns memory.oom.group %s for version %d into OOMPolicy %j', (value, version, expected) => {
    const { writes } = planResources({ unified: { 'memory.oom.group': value } });
    expect(startOnlyProperties(writes, version).map((property) => property.value)).toEqual(expected);
  });
});

describe('annotationProperties', () => {
  it('reads properties, and seconds as microseconds', () => {
    expect(
      annotationProperties({
        'org.systemd.property.CollectMode': "'inactive-or-failed'",
        'org.systemd.property.TimeoutStopSec': 'uint64 5',
        'org.systemd.property.RuntimeMaxSec': '1.5',
        'org.systemd.property.TimeoutStopUSec': 'uint64 7',
        'other.annotation': 'no variant at all',
      }),
    ).toEqual([
      { name: 'CollectMode', signature: 's', value: 'inactive-or-failed' },
      { name: 'TimeoutStopUSec', signature: 't', value: 5000000n },
      { name: 'RuntimeMaxUSec', signature: 't', value: 1500000n },
      { name: 'TimeoutStopUSec', signature: 't', value: 7n },
    ]);
  });

  it.each([
    ['org.systemd.property.Ab', 'true'],
    ['org.systemd.property.With-Dash', 'true'],
    ['org.systemd.property.CollectMode', 'inactive'],
    ['org.systemd.property.TimeoutStopSec', "'5'"],
  ])('refuses %s: %s', (key, text) => {
    expect(() => annotationProperties({ [key]: text })).toThrow(
      expect.objectContaining({ code: 'systemd-property', configPath: `annotations["${key}"]` }),
    );
  });
});
