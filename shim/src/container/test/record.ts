/** A container's record for tests: busybox without anything in particular. */

import { digestOf } from '../../../../imagetool/src/digest/digest.ts';
import type { ContainerRecord, HostConfig } from '../record.ts';

export const HOST: HostConfig = {
  NetworkMode: 'none',
  PortBindings: {},
  PublishAllPorts: false,
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  Privileged: false,
  ReadonlyRootfs: false,
  Init: false,
  LogConfig: { Type: 'json-file', Config: {} },
  CapAdd: [],
  CapDrop: [],
  SecurityOpt: [],
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: [],
  GroupAdd: [],
  Devices: [],
  Ulimits: [],
  Sysctls: {},
  ShmSize: 64 << 20,
  PidMode: '',
  IpcMode: '',
  UTSMode: '',
  UsernsMode: '',
  CgroupParent: '',
  OomScoreAdj: 0,
  Tmpfs: {},
  ContainerIDFile: '',
};

export function recordOf(changes: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    Id: 'f'.repeat(64),
    Created: '2026-01-01T00:00:00Z',
    Name: 'test',
    Image: `sha256:${'1'.repeat(64)}`,
    ImageDescriptor: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('manifest'), size: 1 },
    Platform: 'linux/amd64',
    Config: {
      Hostname: 'ffffffffffff',
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      Image: 'busybox',
      Cmd: ['sh'],
    },
    HostConfig: HOST,
    Mounts: [],
    Networks: [],
    LogPath: '/nowhere/json.log',
    ...changes,
  };
}
