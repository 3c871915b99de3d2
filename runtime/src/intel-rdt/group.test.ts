import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syscallNumber } from '../linux/syscall-numbers.ts';
import { createNodeSys } from '../sys/node.ts';
import type { Sys } from '../sys/sys.ts';
import { changeSchemata, findResctrl, joinGroup, prepareGroup, removeGroup, resctrlMountPoint } from './group.ts';
import { planRdt } from './plan.ts';

/** A directory that behaves as a resctrl file system does: new directories have files, and go with them. */
class FakeResctrl {
  readonly root = mkdtempSync(join(tmpdir(), 'tsrun-resctrl-'));
  readonly sys: Sys;
  /** The errno of the next mkdir in mon_groups. */
  monitoringErrno = 0;
  /** The errno of writes to schemata. */
  schemataMissing = false;

  constructor() {
    const node = createNodeSys();
    const MKDIR = syscallNumber(node.arch, 'mkdirat');
    const UNLINK = syscallNumber(node.arch, 'unlinkat');
    this.sys = {
      ...node,
      syscall: (nr, ...args) => {
        const path = String(args[1]);
        if (!path.startsWith(this.root)) return node.syscall(nr, ...args);
        if (nr === MKDIR && path.includes('/mon_groups/') && this.monitoringErrno > 0) return -this.monitoringErrno;
        if (nr === UNLINK && args[2] === 0x200) {
          if (!existsSync(path)) return -2;
          rmSync(path, { recursive: true });
          return 0;
        }
        const result = node.syscall(nr, ...args);
        if (nr === MKDIR && result === 0) this.#furnish(path);
        return result;
      },
    };
    this.#furnish(this.root);
    mkdirSync(join(this.root, 'info/MB'), { recursive: true });
    writeFileSync(join(this.root, 'info/MB/bandwidth_gran'), '10\n');
    writeFileSync(join(this.root, 'info/last_cmd_status'), 'ok\n');
  }

  #furnish(path: string): void {
    writeFileSync(join(path, 'tasks'), '');
    if (path.includes('/mon_groups/')) return;
    mkdirSync(join(path, 'mon_groups'));
    if (!this.schemataMissing) writeFileSync(join(path, 'schemata'), '    L3:0=ff;1=ff\n    MB:0=100;1=100\n');
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  groups(): string[] {
    return readdirSync(this.root).filter((name) => !['info', 'mon_groups', 'schemata', 'tasks'].includes(name));
  }
}

describe('resctrlMountPoint', () => {
  it('is that of the first resctrl file system', () => {
    const text = '22 1 0:20 / /proc rw - proc proc rw\n30 1 0:30 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw\n';
    expect(resctrlMountPoint(text)).toBe('/sys/fs/resctrl');
    expect(resctrlMountPoint('22 1 0:20 / /resctrl rw - proc resctrl rw\n')).toBeUndefined();
  });

  it('is missed with a hint', () => {
    const sys = createNodeSys();
    const mounted = resctrlMountPoint(readFileSync('/proc/self/mountinfo', 'utf8'));
    if (mounted === undefined) {
      expect(() => findResctrl(sys)).toThrow(
        expect.objectContaining({ code: 'intel-rdt', hint: expect.stringContaining('mount -t resctrl') }),
      );
    } else expect(findResctrl(sys)).toBe(mounted);
  });
});

describe('a group', () => {
  let fake: FakeResctrl;
  beforeEach(() => {
    fake = new FakeResctrl();
  });
  afterEach(() => rmSync(fake.root, { recursive: true }));

  const prepare = (rdt: Parameters<typeof planRdt>[0]) => prepareGroup(fake.sys, fake.root, planRdt(rdt, 'c1'));

  it('of the container alone is made, filled, joined and removed', () => {
    const { record } = prepare({ l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20', schemata: ['L2:0=1'], enableMonitoring: true });
    expect(record).toEqual({ root: fake.root, group: `${fake.root}/c1`, own: true, monitoring: `${fake.root}/c1/mon_groups/c1` });
    expect(fake.read('c1/schemata')).toMatch(/^L3:0=f\nMB:0=20\nL2:0=1\n/);
    joinGroup(fake.sys, record, 1234);
    expect([fake.read('c1/tasks'), fake.read('c1/mon_groups/c1/tasks')]).toEqual(['1234', '1234']);
    removeGroup(fake.sys, record);
    expect(fake.groups()).toEqual([]);
    removeGroup(fake.sys, record);
  });

  it('gets other schemata, and the old ones back', () => {
    const { record } = prepare({ l3CacheSchema: 'L3:0=f' });
    writeFileSync(join(record.group, 'schemata'), '    L3:0=f;1=ff\n    MB:0=100;1=100\n');
    const undo = changeSchemata(fake.sys, record, ['L3:1=f', 'MB:0=20']);
    expect(fake.read('c1/schemata')).toMatch(/^L3:1=f\nMB:0=20\n/);
    undo();
    expect(fake.read('c1/schemata')).toMatch(/^L3:0=f;1=ff\nMB:0=100;1=100\n/);
  });

  it('that has gone cannot be changed', () => {
    const { record } = prepare({});
    rmSync(record.group, { recursive: true });
    expect(() => changeSchemata(fake.sys, record, ['L3:0=f'])).toThrow(expect.objectContaining({ code: 'intel-rdt' }));
  });

  it('without a schema has none written', () => {
    prepare({});
    expect(fake.read('c1/schemata')).toBe('    L3:0=ff;1=ff\n    MB:0=100;1=100\n');
  });

  it('with a name is made, and stays', () => {
    const { record, made } = prepare({ closID: 'gold', l3CacheSchema: 'L3:0=f', enableMonitoring: true });
    expect(record.own).toBe(false);
    expect(made).toEqual([`${fake.root}/gold`, `${fake.root}/gold/mon_groups/c1`]);
    removeGroup(fake.sys, record);
    expect(fake.groups()).toEqual(['gold']);
    expect(existsSync(join(fake.root, 'gold/mon_groups/c1'))).toBe(false);
  });

  it('that is there stays, though it has the name of the container', () => {
    prepare({ closID: 'c1', schemata: ['L3:0=f'] });
    const { record } = prepare({});
    removeGroup(fake.sys, record);
    expect(fake.groups()).toEqual(['c1']);
  });

  it('that is there must have the same schemata', () => {
    prepare({ closID: 'gold', l3CacheSchema: 'L3:0=ff' });
    writeFileSync(join(fake.root, 'gold/schemata'), '    L3:0=ff;1=ff\n    MB:0=100;1=100\n');
    expect(prepare({ closID: 'gold', l3CacheSchema: 'L3:1=0ff', memBwSchema: 'MB:0=91' }).made).toEqual([]);
    writeFileSync(join(fake.root, 'gold/schemata'), 'L3:0=ff;1=ff\nMB:0=100;1=100\n');
    expect(() => prepare({ closID: 'gold', memBwSchema: 'MB:0=50' })).toThrow(
      expect.objectContaining({
        configPath: 'linux.intelRdt.memBwSchema',
        message: expect.stringContaining('other schemata: L3:0=ff;1=ff, MB:0=100;1=100'),
      }),
    );
  });

  it('that should be there and is not is an error', () => {
    expect(() => prepare({ closID: 'gold' })).toThrow(expect.objectContaining({ configPath: 'linux.intelRdt.closID' }));
    expect(fake.groups()).toEqual([]);
  });

  it('of the root is joined without being changed', () => {
    const { record, made } = prepare({ closID: '/' });
    expect([record, made]).toEqual([{ root: fake.root, group: fake.root, own: false }, []]);
    joinGroup(fake.sys, record, 7);
    expect(fake.read('tasks')).toBe('7');
  });

  it('is taken back when something fails, in the words of the file system', () => {
    writeFileSync(join(fake.root, 'info/last_cmd_status'), 'out of monitoring groups\n');
    fake.monitoringErrno = 28;
    expect(() => prepare({ enableMonitoring: true })).toThrow(/no space left on device, last_cmd_status: out of monitoring groups$/);
    expect(fake.groups()).toEqual([]);
    fake.schemataMissing = true;
    expect(() => prepare({ schemata: ['L3:0=f'] })).toThrow(/schemata: no such file or directory$/);
    expect(fake.groups()).toEqual([]);
  });
});
