import type { Linux } from '../../../../specs/runtime/linux/linux.ts';
import type { Mount } from '../../../../specs/runtime/mounts.ts';
import { findErrors, findWarnings, namespaces } from '../test/findings.ts';

const MAPPINGS = [{ containerID: 0, hostID: 100000, size: 65536 }];
const USER_NAMESPACE: Partial<Linux> = { ...namespaces('mount', 'user'), uidMappings: MAPPINGS, gidMappings: MAPPINGS };

type Case = [changes: Partial<Mount>, expected: string[], linux?: Partial<Linux>];

describe('mountErrors', () => {
  it.each<Case>([
    [{ type: 'tmpfs', options: ['nosuid', 'size=64k', 'whatever'] }, []],
    [{ destination: '', type: 'tmpfs' }, ['mount-destination mounts[0].destination']],
    [{ options: ['rbind', 'rprivate', 'ro', 'rro', 'defaults'], source: '/a' }, []],
    [{ options: ['bind'], type: 'bind', source: 'a' }, []],
    [{ options: ['bind'] }, ['mount-source mounts[0].source']],
    [{ options: ['bind'], source: '' }, ['mount-source mounts[0].source']],
    [{ source: '/a' }, ['mount-type mounts[0].type']],
    [{ source: '/a', type: 'bind', options: ['ro'] }, ['mount-type mounts[0].type']],
    [{ options: ['remount', 'ro'] }, []],
    [{ options: ['bind', 'mode=755'], source: '/a' }, ['mount-bind-data mounts[0].options[1]']],
    [{ options: ['bind', 'idmap'], source: '/a', uidMappings: MAPPINGS, gidMappings: MAPPINGS }, []],
    [{ options: ['bind', 'ridmap'], source: '/a' }, [], USER_NAMESPACE],
    [{ options: ['bind', 'ridmap'], source: '/a' }, ['mount-idmap-mappings mounts[0]']],
    [{ options: ['idmap'], type: 'tmpfs', uidMappings: MAPPINGS, gidMappings: MAPPINGS }, ['mount-idmap-bind mounts[0]']],
    [{ options: ['bind', 'idmap'], source: '/a', uidMappings: MAPPINGS }, ['mount-idmap-pair mounts[0].gidMappings']],
    [{ options: ['bind', 'idmap'], source: '/a', uidMappings: [], gidMappings: MAPPINGS }, ['mount-idmap-pair mounts[0].uidMappings']],
  ])('%j', (change, expected, linux = {}) => {
    expect(findErrors({ mounts: [{ destination: '/a', ...change }], linux })).toEqual(expected);
  });
});

describe('mountWarnings', () => {
  it.each<Case>([
    [{ destination: 'proc', type: 'proc' }, ['mount-destination-relative mounts[0].destination']],
    [{ options: ['bind'], source: '/a', uidMappings: MAPPINGS, gidMappings: MAPPINGS }, ['mount-idmap-option mounts[0]']],
    [{ type: 'tmpfs', options: ['tmpcopyup'] }, []],
    [{ type: 'proc', options: ['ro', 'tmpcopyup'] }, ['mount-tmpcopyup mounts[0].options[1]']],
    [{ type: 'tmpfs', source: '/a', options: ['bind', 'tmpcopyup'] }, ['mount-tmpcopyup mounts[0].options[1]']],
  ])('%j', (change, expected) => {
    expect(findWarnings({ mounts: [{ destination: '/a', ...change }] })).toEqual(expected);
  });
});
