/** A container as docker's inspect shows it. */

import type { Container } from '../../container/container-reader.ts';
import { containerPlaces, type Places } from '../../container/places.ts';
import type { ContainerState, Endpoint } from '../../container/record.ts';
import { NEVER } from '../../container/time.ts';

export interface InspectionOptions {
  readonly places: Places;
  readonly size?: { readonly own: number; readonly image: number };
}

export function inspection({ record, state }: Container, { places, size }: InspectionOptions): object {
  const files = containerPlaces(places, record.Id);
  const home = `${places.root}/snapshots/active/${record.Id}`;
  const [Path = '', ...Args] = [...(record.Config.Entrypoint ?? []), ...(record.Config.Cmd ?? [])];
  return {
    Id: record.Id,
    Created: record.Created,
    Path,
    Args,
    State: stateOf(state),
    Image: record.Image,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: record.LogPath,
    Name: `/${record.Name}`,
    RestartCount: state.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: { Binds: bindsOf(record.Mounts), Runtime: 'tsrun', VolumesFrom: null, ...record.HostConfig },
    GraphDriver: { Name: 'overlay2', Data: { MergedDir: `${home}/merged`, UpperDir: `${home}/upper` } },
    ...(size === undefined ? {} : { SizeRw: size.own, SizeRootFs: size.own + size.image }),
    Mounts: record.Mounts.map(({ Anonymous: _, ...mount }) => mount),
    Config: { OnBuild: null, Volumes: null, ...record.Config },
    NetworkSettings: networkSettings(record, state),
  };
}

function bindsOf(mounts: Container['record']['Mounts']): string[] | null {
  const binds = mounts
    .filter(({ Type }) => Type !== 'tmpfs')
    .map(({ Name, Source, Destination, RW }) => `${Name ?? Source}:${Destination}${RW ? '' : ':ro'}`);
  return binds.length === 0 ? null : binds;
}

function stateOf(state: ContainerState): object {
  return {
    Status: state.status === 'exited' && state.startedAt === '' ? 'created' : state.status,
    Running: state.status === 'running' || state.status === 'paused',
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt === '' ? NEVER : state.startedAt,
    FinishedAt: state.finishedAt === '' ? NEVER : state.finishedAt,
    ...(state.health === undefined ? {} : { Health: state.health }),
  };
}

function networkSettings(record: Container['record'], state: ContainerState): object {
  const first = state.endpoints[0];
  const mode = record.HostConfig.NetworkMode;
  const names = record.Networks.map(({ name }) => name);
  const alone = mode.startsWith('container:') ? [] : [mode];
  const Networks = Object.fromEntries(
    (names.length > 0 ? names : alone).map((name) => {
      const request = record.Networks.find((one) => one.name === name);
      return [
        name,
        endpointOf(
          state.endpoints.find(({ network }) => network === name),
          request?.aliases ?? [],
        ),
      ];
    }),
  );
  const exposed = Object.fromEntries(Object.keys(record.Config.ExposedPorts ?? {}).map((port) => [port, null]));
  return {
    SandboxKey: state.pid === 0 ? '' : `/proc/${state.pid}/ns/net`,
    Ports: state.pid === 0 ? {} : { ...exposed, ...state.ports },
    Gateway: first?.gateway ?? '',
    IPAddress: first?.ipAddress ?? '',
    IPPrefixLen: first?.prefixLength ?? 0,
    IPv6Gateway: first?.ipv6Gateway ?? '',
    GlobalIPv6Address: first?.ipv6Address ?? '',
    GlobalIPv6PrefixLen: first?.ipv6PrefixLength ?? 0,
    MacAddress: first?.macAddress ?? '',
    Networks,
  };
}

function endpointOf(endpoint: Endpoint | undefined, aliases: readonly string[]): object {
  return {
    Aliases: aliases.length === 0 ? null : aliases,
    NetworkID: endpoint?.networkId ?? '',
    EndpointID: '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.ipAddress ?? '',
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.ipv6Gateway ?? '',
    GlobalIPv6Address: endpoint?.ipv6Address ?? '',
    GlobalIPv6PrefixLen: endpoint?.ipv6PrefixLength ?? 0,
    MacAddress: endpoint?.macAddress ?? '',
  };
}
