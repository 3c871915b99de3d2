import { parseJson } from '../../../specs/json/parse-json.ts';
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { defaultConfig } from './default-config.ts';
import { loadConfig } from './load.ts';

describe('defaultConfig', () => {
  it.each([
    ['for root', {}],
    ['for a user', { rootless: { uid: 1000, gid: 1001 } }],
  ])('is faultless %s', (_, options) => {
    expect(loadConfig(stringifyJson(defaultConfig(options), '\t')).warnings).toEqual([]);
  });

  it('has its parts in the order in which people know them', () => {
    const config = parseJson(stringifyJson(defaultConfig()));
    expect(Object.keys(config as object)).toEqual(['ociVersion', 'process', 'root', 'hostname', 'mounts', 'linux']);
  });

  it('maps the user to root and stays in the network of the host, without limits', () => {
    const { linux, mounts } = defaultConfig({ rootless: { uid: 1000, gid: 1001 } });
    expect(linux?.uidMappings).toEqual([{ containerID: 0, hostID: 1000, size: 1 }]);
    expect(linux?.gidMappings).toEqual([{ containerID: 0, hostID: 1001, size: 1 }]);
    expect(linux?.namespaces?.map(({ type }) => type)).toEqual(['pid', 'ipc', 'uts', 'mount', 'cgroup', 'user']);
    expect(linux?.resources).toBeUndefined();
    expect(mounts?.find(({ destination }) => destination === '/sys')?.options).toContain('rbind');
    expect(mounts?.flatMap(({ options = [] }) => options)).not.toContain('gid=5');
  });
});
