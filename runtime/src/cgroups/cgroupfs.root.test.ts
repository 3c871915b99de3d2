import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { close } from '../linux/files.ts';
import { syscallNumber } from '../linux/syscall-numbers.ts';
import { createNodeSys } from '../sys/node.ts';
import type { CallArgument, Sys } from '../sys/sys.ts';
import { type Cgroup, createCgroup, openCgroup, undoCreate } from './create.ts';
import { delegateCgroup } from './delegation.ts';
import { freeze, isFrozen, thaw } from './freezer.ts';
import { cgroupOfProcess, isCgroup2 } from './hierarchy.ts';
import { joinCgroup, killAll, processes } from './processes.ts';
import { removeCgroup } from './remove.ts';
import { openSubCgroup } from './sub-cgroup.ts';
import { CgroupFixture, eventually } from './test/fixture.ts';

const sys = createNodeSys();
let fixture: CgroupFixture;
const opened: Cgroup[] = [];

function create(path: string): Cgroup {
  const cgroup = fixture.create(path, { wanted: [] });
  opened.push(cgroup);
  return cgroup;
}

beforeAll(() => {
  fixture = new CgroupFixture(sys, 'cgroupfs');
});

afterEach(async () => {
  for (const cgroup of opened.splice(0)) close(sys, cgroup.fd);
  await fixture.dispose();
});

describe('createCgroup', () => {
  it('makes the missing directories, remembers them, and takes them back', () => {
    create('a');
    const cgroup = fixture.create('a/b/c', { wanted: [] });
    expect(cgroup.created).toEqual([fixture.directory('a/b'), fixture.directory('a/b/c')]);
    expect(isCgroup2(sys, cgroup.fd)).toBe(true);
    undoCreate(sys, cgroup);
    expect(existsSync(fixture.directory('a/b'))).toBe(false);
    expect(existsSync(fixture.directory('a'))).toBe(true);
  });

  it('takes an existing empty cgroup', () => {
    create('a');
    expect(create('a').created).toEqual([]);
  });

  it('refuses a cgroup that holds a process, and leaves it alone', () => {
    const { pid } = fixture.start(create('a'));
    expect(() => create('a')).toThrow("container's cgroup is not empty: 1 process(es) found");
    expect(processes(sys, fixture.directory('a'), { recursive: false })).toEqual([pid]);
  });

  it('refuses a cgroup with a process further down', () => {
    create('a');
    fixture.start(create('a/b/c'));
    expect(() => create('a')).toThrow(expect.objectContaining({ code: 'cgroup-not-empty' }));
  });

  it('refuses a frozen cgroup', () => {
    const cgroup = create('a');
    freeze(sys, cgroup.directory);
    expect(() => create('a')).toThrow("container's cgroup unexpectedly frozen");
  });

  it('refuses a frozen ancestor, and leaves no directory behind', () => {
    freeze(sys, create('a').directory);
    expect(() => create('a/b/c')).toThrow(expect.objectContaining({ code: 'cgroup-frozen' }));
    expect(existsSync(fixture.directory('a/b'))).toBe(false);
  });

  it('names the controller and the limit when this host does not have it, and leaves nothing behind', () => {
    const needs = [{ controller: 'imaginary', configPath: 'linux.resources.imaginary.limit' }];
    expect(() => fixture.create('a', { needs })).toThrow(
      expect.objectContaining({
        code: 'cgroup-controller-missing',
        configPath: 'linux.resources.imaginary.limit',
        message: expect.stringMatching(
          /^linux\.resources\.imaginary\.limit cannot be applied: cgroup v2 controller "imaginary" is not available/,
        ),
      }),
    );
    expect(existsSync(fixture.directory('a'))).toBe(false);
  });

  it('refuses a directory that is not on cgroup v2', () => {
    const hierarchy = { mountPoint: '/tmp', unified: true };
    expect(() => createCgroup(sys, hierarchy, fixture.base, { wanted: [] })).toThrow(expect.objectContaining({ code: 'cgroup-no-v2' }));
    expect(existsSync(`/tmp/${fixture.base}`)).toBe(false);
  });

  describe('without permission', () => {
    const EACCES = 13;
    const denied: Sys = Object.create(sys, {
      syscall: {
        value: (nr: number, ...args: CallArgument[]) => (nr === syscallNumber(sys.arch, 'mkdirat') ? -EACCES : sys.syscall(nr, ...args)),
      },
    });
    const needs = [{ controller: 'memory', configPath: 'linux.resources.memory.limit' }];

    it('does without when the cgroup is optional and nothing is limited', () => {
      expect(createCgroup(denied, fixture.hierarchy, 'x', { optional: true })).toBeUndefined();
    });

    it.each([
      ['a limit is to be applied', { optional: true, needs }, 'linux.resources.memory.limit'],
      ['the cgroup is asked for', {}, 'linux.cgroupsPath'],
    ])('names the path and the remedy when %s', (_, options, configPath) => {
      expect(() => createCgroup(denied, fixture.hierarchy, 'x', options)).toThrow(
        expect.objectContaining({
          code: 'cgroup-permission',
          configPath,
          message: expect.stringMatching(/cannot create cgroup \/sys\/fs\/cgroup\/.*x: permission denied; have a cgroup delegated/),
        }),
      );
    });
  });
});

describe('openCgroup', () => {
  it('opens what is there and only that', () => {
    create('a');
    const cgroup = openCgroup(sys, fixture.hierarchy, `${fixture.base}/a`);
    if (cgroup === undefined) throw new Error('not found');
    expect(isCgroup2(sys, cgroup.fd)).toBe(true);
    close(sys, cgroup.fd);
    expect(openCgroup(sys, fixture.hierarchy, `${fixture.base}/b`)).toBeUndefined();
  });
});

describe('freeze and thaw', () => {
  it('stops and continues the processes', () => {
    const cgroup = create('a');
    const { pid } = fixture.start(cgroup, 'sh', ['-c', 'while :; do :; done']);
    expect(isFrozen(sys, cgroup.directory)).toBe(false);
    freeze(sys, cgroup.directory);
    expect(isFrozen(sys, cgroup.directory)).toBe(true);
    const ticks = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13, 15).join();
    const before = ticks();
    expect(ticks()).toBe(before);
    thaw(sys, cgroup.directory);
    expect(isFrozen(sys, cgroup.directory)).toBe(false);
    expect(readFileSync(`${cgroup.directory}/cgroup.events`, 'utf8')).toContain('frozen 0');
  });

  it('says that an ancestor is frozen', () => {
    const parent = create('a');
    const child = create('a/b');
    fixture.start(child);
    freeze(sys, parent.directory);
    expect(() => thaw(sys, child.directory)).toThrow(expect.objectContaining({ code: 'cgroup-thaw-timeout' }));
    expect(isFrozen(sys, child.directory)).toBe(false);
    thaw(sys, parent.directory);
  });

  it('holds nothing frozen where there is no cgroup', () => {
    expect(isFrozen(sys, fixture.directory('none'))).toBe(false);
    expect(() => freeze(sys, fixture.directory('none'))).toThrow('no such file or directory');
  });
});

describe('processes', () => {
  it('lists a cgroup and, if asked, what is below', () => {
    const outer = create('a');
    const inner = create('a/b/c');
    const first = fixture.start(outer).pid;
    const second = fixture.start(inner).pid;
    expect(processes(sys, outer.directory, { recursive: false })).toEqual([first]);
    expect(processes(sys, outer.directory, { recursive: true }).toSorted()).toEqual([first, second].toSorted());
    expect(processes(sys, fixture.directory('none'), { recursive: true })).toEqual([]);
    expect(cgroupOfProcess(sys, second)).toMatch(/\/a\/b\/c$/);
  });
});

describe('killAll', () => {
  it.each([9, 15])('sends signal %d to nested cgroups', async (signal) => {
    const outer = fixture.start(create('a'));
    const inner = fixture.start(create('a/b/c'));
    killAll(sys, fixture.directory('a'), signal);
    const name = signal === 9 ? 'SIGKILL' : 'SIGTERM';
    expect(await Promise.all([outer.ended, inner.ended])).toEqual([name, name]);
  });

  it('kills a frozen cgroup', async () => {
    const cgroup = create('a');
    const { ended } = fixture.start(cgroup);
    freeze(sys, cgroup.directory);
    killAll(sys, cgroup.directory, 9);
    expect(await ended).toBe('SIGKILL');
  });

  it('leaves a frozen cgroup frozen when it sends another signal, which arrives after the thaw', async () => {
    const cgroup = create('a');
    const { ended } = fixture.start(cgroup);
    freeze(sys, cgroup.directory);
    killAll(sys, cgroup.directory, 15);
    expect(isFrozen(sys, cgroup.directory)).toBe(true);
    thaw(sys, cgroup.directory);
    expect(await ended).toBe('SIGTERM');
  });

  it('has nobody to signal where there is no cgroup', () => {
    killAll(sys, fixture.directory('none'), 9);
    killAll(sys, fixture.directory('none'), 15);
  });
});

describe('removeCgroup', () => {
  it('removes a tree that the container made, and the ancestors that we made', () => {
    const cgroup = create('x/a');
    for (const path of ['b', 'b/c', 'b/c/d', 'e', 'f', 'f/g']) mkdirSync(`${cgroup.directory}/${path}`);
    removeCgroup(sys, cgroup.directory, { created: cgroup.created });
    expect(existsSync(fixture.directory('x'))).toBe(false);
    expect(existsSync(`${fixture.hierarchy.mountPoint}/${fixture.base}`)).toBe(false);
  });

  it('leaves an ancestor that somebody else uses', () => {
    const first = create('x/a');
    create('x/b');
    removeCgroup(sys, first.directory, { created: first.created });
    expect(existsSync(fixture.directory('x/a'))).toBe(false);
    expect(existsSync(fixture.directory('x/b'))).toBe(true);
  });

  it('removes a tree deeper than a path can be long', () => {
    const cgroup = create('a');
    let fd = openSubCgroup(sys, cgroup.fd, '');
    const name = 'n'.repeat(200);
    for (let depth = 0; depth < 40; depth++) {
      mkdirSync(`/proc/self/fd/${fd}/${name}`);
      const child = openSubCgroup(sys, fd, name);
      close(sys, fd);
      fd = child;
    }
    close(sys, fd);
    removeCgroup(sys, cgroup.directory);
    expect(existsSync(cgroup.directory)).toBe(false);
  });

  it('waits for killed processes', async () => {
    const cgroup = create('a');
    const { ended } = fixture.start(cgroup);
    killAll(sys, cgroup.directory, 9);
    removeCgroup(sys, cgroup.directory);
    expect(existsSync(cgroup.directory)).toBe(false);
    await ended;
  });

  it('tells of the processes that do not end', () => {
    const cgroup = create('a');
    const { pid } = fixture.start(cgroup);
    expect(() => removeCgroup(sys, cgroup.directory, { timeoutMs: 20 })).toThrow(
      `cannot remove cgroup ${cgroup.directory}: device or resource busy: 1 process(es) in it after 20 ms: ${pid}`,
    );
  });

  it('is content when there is nothing to remove', () => {
    removeCgroup(sys, fixture.directory('none'));
  });
});

describe('openSubCgroup', () => {
  it('opens the cgroup itself and those below, and a process can join them', async () => {
    const cgroup = create('a');
    create('a/b/c');
    for (const path of ['', '/', '.', 'b', 'b/c', '/b/c', 'b/../b']) close(sys, openSubCgroup(sys, cgroup.fd, path));
    const { pid } = fixture.start(create('start'));
    const fd = openSubCgroup(sys, cgroup.fd, 'b/c');
    joinCgroup(sys, fd, pid);
    close(sys, fd);
    expect(cgroupOfProcess(sys, pid)).toMatch(/\/a\/b\/c$/);
    await eventually(() => true);
  });

  it.each(['..', '../other', 'b/../..', 'b/../../other', '/../other'])('refuses %j', (path) => {
    const cgroup = create('a');
    create('a/b');
    create('other');
    expect(() => openSubCgroup(sys, cgroup.fd, path)).toThrow(`bad sub cgroup path: ${path}: it leads out of the container's cgroup`);
  });

  it('says when there is none', () => {
    const cgroup = create('a');
    expect(() => openSubCgroup(sys, cgroup.fd, 'none')).toThrow('bad sub cgroup path: none: no such file or directory');
  });
});

describe('delegateCgroup', () => {
  it('gives the directory and the delegatable files to the user, and nothing else', () => {
    const cgroup = create('a');
    delegateCgroup(sys, cgroup.fd, 12345);
    const owner = (file: string) => statSync(`${cgroup.directory}/${file}`).uid;
    expect([owner(''), owner('cgroup.procs'), owner('cgroup.threads'), owner('cgroup.subtree_control')]).toEqual([
      12345, 12345, 12345, 12345,
    ]);
    expect([owner('cgroup.freeze'), owner('cgroup.kill'), owner('cgroup.max.depth')]).toEqual([0, 0, 0]);
    expect(statSync(cgroup.directory).gid).toBe(0);
  });
});

describe('a threaded cgroup', () => {
  it('has processes that can be listed, killed and removed', async () => {
    const outer = create('a');
    const inner = create('a/b');
    const { ended } = fixture.start(outer);
    writeFileSync(`${inner.directory}/cgroup.type`, 'threaded');
    const second = fixture.start(inner);
    expect(processes(sys, inner.directory, { recursive: true })).toEqual([second.pid]);
    killAll(sys, inner.directory, 9);
    expect(await second.ended).toBe('SIGKILL');
    killAll(sys, outer.directory, 9);
    expect(await ended).toBe('SIGKILL');
  });

  it('gets children that are threaded too', () => {
    create('a');
    const inner = create('a/b');
    writeFileSync(`${inner.directory}/cgroup.type`, 'threaded');
    expect(fixture.read(create('a/b/c'), 'cgroup.type')).toBe('threaded');
  });
});
