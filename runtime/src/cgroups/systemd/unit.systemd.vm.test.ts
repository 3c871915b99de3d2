import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { close } from '../../linux/files.ts';
import { createNodeSys } from '../../sys/node.ts';
import { openCgroup } from '../create.ts';
import { devicePolicy } from '../device-rules.ts';
import { attachDevicePolicy } from '../devices.ts';
import { killAll } from '../processes.ts';
import { planResources } from '../resources.ts';
import { eventually } from '../test/fixture.ts';
import { startUnit, stopUnit, updateUnit } from './unit.ts';

const sys = createNodeSys();
const system = { user: false };
const children: ChildProcess[] = [];
let number = 0;

function process_(): number {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  children.push(child);
  if (child.pid === undefined) throw new Error('cannot start a process');
  return child.pid;
}

function start(resources = {}, annotations = {}, slice = 'system.slice'): { unit: string; path: string; pid: number } {
  const unit = `tsrun-test-${process.pid}-${number++}.scope`;
  const pid = process_();
  const path = startUnit(sys, { unit: { slice, unit }, id: 'c1', pid, writes: planResources(resources).writes, annotations }, system);
  return { unit, path, pid };
}

function show(unit: string, property: string): string {
  return execFileSync('systemctl', ['show', '--value', '-p', property, unit], { encoding: 'utf8' }).trim();
}

function end(unit: string, path: string): void {
  killAll(sys, `/sys/fs/cgroup/${path}`, 9);
  stopUnit(sys, unit, system);
}

beforeAll(() => {
  if (!existsSync('/run/systemd/system')) throw new Error('needs systemd as PID 1: to be run in the guest kernel with systemd');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('startUnit', () => {
  it('moves the process into a delegated scope', () => {
    const { unit, path, pid } = start();
    expect(path).toBe(`system.slice/${unit}`);
    expect(readFileSync(`/sys/fs/cgroup/${path}/cgroup.procs`, 'utf8').trim()).toBe(String(pid));
    expect(show(unit, 'Delegate')).toBe('yes');
    expect(show(unit, 'Description')).toBe('tsrun container c1');
    expect(readFileSync(`/sys/fs/cgroup/${path}/cgroup.controllers`, 'utf8').split(/\s/)).toEqual(
      expect.arrayContaining(['cpu', 'memory', 'pids', 'io']),
    );
    end(unit, path);
    expect(existsSync(`/sys/fs/cgroup/${path}`)).toBe(false);
  });

  it('sets limits and annotated properties', () => {
    const { unit, path } = start(
      { memory: { limit: 67108864 }, pids: { limit: 20 }, cpu: { quota: 50000, period: 100000, cpus: '0' } },
      { 'org.systemd.property.TimeoutStopSec': 'uint64 7', 'org.systemd.property.CollectMode': "'inactive-or-failed'" },
    );
    const read = (file: string) => readFileSync(`/sys/fs/cgroup/${path}/${file}`, 'utf8').trim();
    expect([read('memory.max'), read('pids.max'), read('cpu.max'), read('cpuset.cpus')]).toEqual(['67108864', '20', '50000 100000', '0']);
    expect(show(unit, 'TimeoutStopUSec')).toBe('7s');
    expect(show(unit, 'CollectMode')).toBe('inactive-or-failed');
    end(unit, path);
  });

  it('makes slices below slices', () => {
    const { unit, path } = start({}, {}, 'tsruntest-a.slice');
    expect(path).toBe(`tsruntest.slice/tsruntest-a.slice/${unit}`);
    end(unit, path);
    const request = { unit: { slice: 'tsruntest.slice', unit: 'tsruntest-b.slice' }, id: 'p', pid: 0, writes: [], annotations: {} };
    expect(startUnit(sys, request, system)).toBe('tsruntest.slice/tsruntest-b.slice');
    expect(startUnit(sys, request, system)).toBe('tsruntest.slice/tsruntest-b.slice');
    stopUnit(sys, 'tsruntest-b.slice', system);
  });

  it('refuses a scope that is running, and says so', () => {
    const { unit, path } = start();
    const again = { unit: { slice: 'system.slice', unit }, id: 'c1', pid: process_(), writes: [], annotations: {} };
    expect(() => startUnit(sys, again, system)).toThrow(/systemd refused StartTransientUnit: .*already.*UnitExists/);
    end(unit, path);
  });

  it('clears a failed unit of the same name away', async () => {
    const { unit, path } = start({}, { 'org.systemd.property.RuntimeMaxUSec': 'uint64 100000' });
    await eventually(() => show(unit, 'ActiveState') === 'failed');
    const again = { unit: { slice: 'system.slice', unit }, id: 'c1', pid: process_(), writes: [], annotations: {} };
    expect(startUnit(sys, again, system)).toBe(path);
    end(unit, path);
  });

  it('names what systemd does not know', () => {
    expect(() => start({}, { 'org.systemd.property.Imaginary': 'true' })).toThrow(/systemd refused StartTransientUnit: .*Imaginary/);
  });

  it('goes by the D-Bus daemon where systemd has no socket of its own', () => {
    renameSync('/run/systemd/private', '/run/systemd/hidden');
    try {
      const { unit, path } = start({ pids: { limit: 20 } });
      expect(path).toBe(`system.slice/${unit}`);
      end(unit, path);
    } finally {
      renameSync('/run/systemd/hidden', '/run/systemd/private');
    }
    expect(existsSync('/run/systemd/private')).toBe(true);
  });

  it('keeps its deadline', () => {
    const request = {
      unit: { slice: 'system.slice', unit: 'tsrun-test-late.scope' },
      id: 'c1',
      pid: process_(),
      writes: [],
      annotations: {},
    };
    expect(() => startUnit(sys, request, { ...system, timeoutMs: 0 })).toThrow(expect.objectContaining({ code: 'systemd-timeout' }));
  });
});

describe('updateUnit', () => {
  it('changes limits of a running unit', () => {
    const { unit, path } = start({ pids: { limit: 20 } });
    updateUnit(sys, unit, planResources({ pids: { limit: 30 }, cpu: { idle: 1 } }).writes, system);
    expect(readFileSync(`/sys/fs/cgroup/${path}/pids.max`, 'utf8').trim()).toBe('30');
    expect(readFileSync(`/sys/fs/cgroup/${path}/cpu.idle`, 'utf8').trim()).toBe('1');
    end(unit, path);
  });
});

describe('a device policy on a scope', () => {
  it('outlives what systemd does to the unit', async () => {
    const { unit, path } = start();
    const cgroup = openCgroup(sys, { mountPoint: '/sys/fs/cgroup', unified: true }, path);
    if (cgroup === undefined) throw new Error('the scope has no cgroup');
    attachDevicePolicy(sys, cgroup.fd, devicePolicy([{ allow: false, access: 'rwm' }], []), { isNew: false });
    execFileSync('systemctl', ['daemon-reload']);
    updateUnit(sys, unit, planResources({ pids: { limit: 30 } }).writes, system);
    const opens = (device: string) =>
      spawnSync('sh', ['-c', 'echo $$ >"$0/cgroup.procs" && exec head -c 1 "$1" >/dev/null', `/sys/fs/cgroup/${path}`, device]).status;
    expect([opens('/dev/zero'), opens('/dev/kmsg')]).toEqual([0, 1]);
    close(sys, cgroup.fd);
    end(unit, path);
  });
});

describe('stopUnit', () => {
  it('is content when there is no such unit', () => {
    stopUnit(sys, 'tsrun-test-none.scope', system);
  });
});
