import type { Linux } from '../../../../specs/runtime/linux/linux.ts';
import { findErrors, findWarnings } from '../test/findings.ts';

type Case = [linux: Partial<Linux>, expected: string[]];

describe('placementErrors', () => {
  it.each<Case>([
    [{ memoryPolicy: { mode: 'MPOL_INTERLEAVE', nodes: '2-3', flags: ['MPOL_F_STATIC_NODES'] } }, []],
    [{ memoryPolicy: { mode: 'MPOL_DEFAULT', nodes: '' } }, []],
    [{ memoryPolicy: { mode: 'MPOL_PREFERRED' } }, []],
    [{ memoryPolicy: { mode: 'MPOL_LOCAL', nodes: '0' } }, ['memory-policy-nodes linux.memoryPolicy.nodes']],
    [{ memoryPolicy: { mode: 'MPOL_BIND' } }, ['memory-policy-nodes linux.memoryPolicy.nodes']],
    [{ memoryPolicy: { mode: 'MPOL_BIND', nodes: 'all' } }, ['memory-policy-nodes linux.memoryPolicy.nodes']],
    [
      { memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'] } },
      ['memory-policy-flags linux.memoryPolicy.flags'],
    ],
    [{ intelRdt: { closID: 'a', schemata: ['L3:0=f', 'MB:0=20'], memBwSchema: 'MB:0=20' } }, []],
    [{ intelRdt: { closID: '/' } }, []],
    ...['.', '..', 'a/b', '/a', 'a\nb'].map<Case>((closID) => [{ intelRdt: { closID } }, ['intel-rdt-clos-id linux.intelRdt.closID']]),
    [{ intelRdt: { memBwSchema: 'L3:0=1' } }, ['type linux.intelRdt.memBwSchema']],
    [{ intelRdt: { schemata: ['L3:0=1\nMB:0=1'] } }, ['type linux.intelRdt.schemata[0]']],
    [{ personality: { domain: 'LINUX32', flags: [] } }, []],
    [{ personality: { domain: 'LINUX', flags: ['ADDR_NO_RANDOMIZE'] } }, ['personality-flags linux.personality.flags[0]']],
    [{ personality: { domain: 'BSD' as 'LINUX' } }, ['type linux.personality.domain']],
    [{ rootfsPropagation: 'rshared' }, []],
    [{ rootfsPropagation: 'everywhere' as 'shared' }, ['type linux.rootfsPropagation']],
  ])('%j', (linux, expected) => {
    expect(findErrors({ linux })).toEqual(expected);
  });
});

describe('placementWarnings', () => {
  it.each<Case>([
    [{ intelRdt: { l3CacheSchema: 'L3:0=f' } }, []],
    [{ intelRdt: { l3CacheSchema: 'MB:0=f' } }, ['intel-rdt-l3-cache-schema linux.intelRdt.l3CacheSchema']],
    [{ intelRdt: { enableCMT: true } }, ['deprecated linux.intelRdt.enableCMT']],
  ])('%j', (linux, expected) => {
    expect(findWarnings({ linux })).toEqual(expected);
  });
});
