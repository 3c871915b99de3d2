import type { ImageConfig } from '../../../specs/image/config.ts';
import { bundleConfig } from './bundle-config.ts';

const root = { uid: 0, gid: 0, additionalGids: [] };
const imageWith = (config: ImageConfig['config']): ImageConfig => ({
  architecture: 'arm64',
  os: 'linux',
  variant: 'v8',
  created: '2026-01-02T03:04:05Z',
  rootfs: { type: 'layers', diff_ids: [] },
  ...(config === undefined ? {} : { config }),
});

describe('bundleConfig', () => {
  it('puts the command together and keeps the image’s environment', () => {
    const image = imageWith({ Entrypoint: ['/entry'], Cmd: ['a', 'b'], Env: ['PATH=/x', 'EMPTY'], WorkingDir: 'srv' });
    const { process } = bundleConfig({ image, user: { uid: 5, gid: 6, additionalGids: [7], home: '/h' }, hostname: 'h' });
    expect(process).toMatchObject({
      args: ['/entry', 'a', 'b'],
      cwd: '/srv',
      env: ['PATH=/x', 'EMPTY=', 'HOME=/h'],
      user: { uid: 5, gid: 6, additionalGids: [7] },
      capabilities: { effective: [], permitted: [] },
    });
  });

  it('gives defaults to an image that says nothing, but needs a command', () => {
    expect(() => bundleConfig({ image: imageWith(undefined), user: root, hostname: 'h' })).toThrow(/no command/);
    const { process } = bundleConfig({ image: imageWith(undefined), user: root, hostname: 'h', args: ['sh'] });
    expect(process).toMatchObject({
      args: ['sh'],
      cwd: '/',
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/'],
    });
  });

  it('annotates as conversion.md says, labels winning', () => {
    const image = imageWith({
      Cmd: ['x'],
      StopSignal: 'SIGQUIT',
      ExposedPorts: { '443/tcp': {}, '53/udp': {} },
      Labels: { 'org.opencontainers.image.os': 'mine', other: '1' },
    });
    expect(bundleConfig({ image, user: root, hostname: 'h' }).annotations).toEqual({
      'org.opencontainers.image.os': 'mine',
      'org.opencontainers.image.architecture': 'arm64',
      'org.opencontainers.image.variant': 'v8',
      'org.opencontainers.image.created': '2026-01-02T03:04:05Z',
      'org.opencontainers.image.stopSignal': 'SIGQUIT',
      'org.opencontainers.image.exposedPorts': '443/tcp,53/udp',
      other: '1',
    });
  });

  it('mounts volumes and, without privileges, maps the caller alone', () => {
    const config = bundleConfig({
      image: imageWith({ Cmd: ['x'], Volumes: { '/data': {} } }),
      user: root,
      hostname: 'h',
      rootless: { uid: 1000, gid: 1001 },
    });
    expect(config.mounts?.map((mount) => mount.destination)).toContain('/data');
    expect(config.linux).toMatchObject({
      uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: 1001, size: 1 }],
    });
    expect(config.linux?.resources).toBeUndefined();
  });
});
