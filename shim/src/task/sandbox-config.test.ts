import { loadConfig } from '../../../runtime/src/spec/load.ts';
import { bytesField, concat, varintField } from '../base/wire.ts';
import { parsePodConfig, podContainer } from './sandbox-config.ts';

const text = (value: string) => new TextEncoder().encode(value);
const linux = (...fields: Uint8Array[]) => bytesField(8, concat(fields));
const namespaces = (...fields: Uint8Array[]) => bytesField(2, bytesField(1, concat(fields)));

describe('podContainer', () => {
  it.each([
    ['nothing', new Uint8Array(), ['mount', 'pid', 'ipc', 'uts', 'network']],
    ["the host's namespaces", linux(namespaces(varintField(1, 2), varintField(2, 2), varintField(3, 2))), ['mount']],
  ])('has the namespaces that are asked for: %s', (_, bytes, types) => {
    const config = podContainer('p', parsePodConfig(bytes), '', {});
    expect(config.linux?.namespaces?.map(({ type }) => type)).toEqual(types);
    expect(() => loadConfig(JSON.stringify(config))).not.toThrow();
  });

  it('has the network namespace, host name, sysctls and cgroup of the pod', () => {
    const sysctl = bytesField(3, concat([bytesField(1, text('net.a')), bytesField(2, text('1'))]));
    const pod = parsePodConfig(concat([bytesField(3, text('name')), linux(bytesField(1, text('/kubepods/pod1')), sysctl)]));
    expect(podContainer('p', pod, '/run/netns/x', { a: 'b' })).toMatchObject({
      hostname: 'name',
      annotations: { a: 'b' },
      linux: {
        namespaces: expect.arrayContaining([{ type: 'network', path: '/run/netns/x' }]),
        sysctl: { 'net.a': '1' },
        cgroupsPath: '/kubepods/pod1/p',
      },
    });
  });

  it("names systemd's cgroups as CRI does", () => {
    const pod = parsePodConfig(linux(bytesField(1, text('/kubepods.slice/kubepods-pod1.slice'))));
    expect(podContainer('p', pod, '', {}).linux?.cgroupsPath).toBe('kubepods-pod1.slice:cri-containerd:p');
  });

  it('has the user namespace of the pod', () => {
    const mapping = concat([varintField(1, 100_000), varintField(3, 65_536)]);
    const pod = parsePodConfig(linux(namespaces(bytesField(5, concat([bytesField(2, mapping), bytesField(3, mapping)])))));
    const config = podContainer('p', pod, '', {});
    expect(config.linux?.uidMappings).toEqual([{ hostID: 100_000, containerID: 0, size: 65_536 }]);
    expect(config.linux?.namespaces).toContainEqual({ type: 'user' });
  });

  it('is refused when it is no message', () => {
    expect(() => parsePodConfig(Uint8Array.of(255))).toThrow(RangeError);
  });
});
