import { formatPath, joinPaths } from './json-path.ts';

describe('formatPath', () => {
  it.each([
    [[], ''],
    [['process'], 'process'],
    [['process', 'rlimits', 0, 'type'], 'process.rlimits[0].type'],
    [['linux', 'sysctl', 'net.core.somaxconn'], 'linux.sysctl["net.core.somaxconn"]'],
    [['linux', 'rdma', 'mlx5_1', 'hcaHandles'], 'linux.rdma.mlx5_1.hcaHandles'],
    [['annotations', ''], 'annotations[""]'],
    [[3, 'a'], '[3].a'],
  ])('writes %j as %s', (steps, expected) => {
    expect(formatPath(steps)).toBe(expected);
  });
});

describe('joinPaths', () => {
  it.each([
    ['', '', ''],
    ['a', '', 'a'],
    ['', 'b', 'b'],
    ['a', 'b', 'a.b'],
    ['a', '[0]', 'a[0]'],
  ])('joins %j and %j', (parent, child, expected) => {
    expect(joinPaths(parent, child)).toBe(expected);
  });
});
