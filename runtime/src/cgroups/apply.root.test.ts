import { itWith, unifiedCgroups } from '../../../.scripts/jest/requirement.ts';
import { close } from '../linux/files.ts';
import { createNodeSys } from '../sys/node.ts';
import { applyResources, updateResources } from './apply.ts';
import { type Cgroup, createCgroup } from './create.ts';
import { controllerNeeds, planResources } from './resources.ts';
import { CgroupFixture } from './test/fixture.ts';

// What can be had without controllers, on a hybrid host: the core files, and the errors.

const sys = createNodeSys();
const hybrid = { what: 'hybrid cgroup hierarchy', met: !unifiedCgroups.met };

let fixture: CgroupFixture;
let cgroup: Cgroup;

beforeAll(() => {
  fixture = new CgroupFixture(sys, 'apply');
});

beforeEach(() => {
  cgroup = fixture.create('a', { wanted: [] });
});

afterEach(async () => {
  close(sys, cgroup.fd);
  await fixture.dispose();
});

describe('applyResources', () => {
  it('writes files of the core', () => {
    applyResources(sys, cgroup, planResources({ unified: { 'cgroup.max.depth': '3', 'cgroup.max.descendants': '7' } }));
    expect(fixture.read(cgroup, 'cgroup.max.depth')).toBe('3');
    expect(fixture.read(cgroup, 'cgroup.max.descendants')).toBe('7');
  });

  it('has nothing to do where limits are only lifted', () => {
    const plan = planResources({ memory: { limit: -1, swap: -1 }, cpu: { shares: 1024, quota: -1, idle: 0 }, pids: { limit: -1 } });
    expect(controllerNeeds(plan.writes)).toEqual([]);
    applyResources(sys, cgroup, plan);
  });

  it.each([
    ['a controller that no kernel has', { unified: { 'imaginary.max': '1' } }, 'cgroup-controller-missing', 'unified["imaginary.max"]'],
    ['a file that no kernel has', { unified: { 'cgroup.imaginary': '1' } }, 'cgroup-file-missing', 'unified["cgroup.imaginary"]'],
    ['a value that the kernel refuses', { unified: { 'cgroup.max.depth': 'deep' } }, 'syscall', 'unified["cgroup.max.depth"]'],
  ])('names the place of %s', (_, resources, code, name) => {
    const configPath = `linux.resources.${name}`;
    expect(() => applyResources(sys, cgroup, planResources(resources))).toThrow(
      expect.objectContaining({ code, configPath, message: expect.stringContaining(configPath) }),
    );
  });

  it('gives the file, the value and the words of the errno of a refused write', () => {
    expect(() => applyResources(sys, cgroup, planResources({ unified: { 'cgroup.max.depth': 'deep' } }))).toThrow(
      `linux.resources.unified["cgroup.max.depth"]: cannot write "deep" to ${cgroup.directory}/cgroup.max.depth: invalid argument`,
    );
  });

  itWith([hybrid], 'says what to do about a controller that cgroup v1 holds', () => {
    const { writes } = planResources({ memory: { limit: 1 << 30 } });
    const create = () => createCgroup(sys, fixture.hierarchy, `${fixture.base}/b`, { needs: controllerNeeds(writes) });
    expect(create).toThrow(
      /^linux\.resources\.memory\.limit cannot be applied: cgroup v2 controller "memory" is not available: this host is hybrid/,
    );
    expect(create).toThrow(
      /boot with systemd\.unified_cgroup_hierarchy=1 or cgroup_no_v1=memory, or take linux\.resources\.memory\.limit out/,
    );
  });
});

describe('updateResources', () => {
  it('restores all values when one is refused', () => {
    const update = { 'cgroup.max.depth': '5', 'cgroup.max.descendants': 'many' };
    expect(() => updateResources(sys, cgroup, planResources({ unified: update }))).toThrow('invalid argument');
    expect(fixture.read(cgroup, 'cgroup.max.depth')).toBe('max');
    updateResources(sys, cgroup, planResources({ unified: { ...update, 'cgroup.max.descendants': '6' } }));
    expect(fixture.read(cgroup, 'cgroup.max.depth')).toBe('5');
  });
});
