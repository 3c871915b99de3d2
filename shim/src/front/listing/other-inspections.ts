/** Networks and volumes as docker's inspect shows them. */

import { listContainers } from '../../container/containers.ts';
import type { Places } from '../../container/places.ts';
import type { Network } from '../../network/networks.ts';
import type { Volume } from '../../volume/volumes.ts';

export function networkInspection(places: Places, network: Network): object {
  const Containers = Object.fromEntries(
    listContainers(places).flatMap(({ record, state }) =>
      state.endpoints
        .filter((endpoint) => endpoint.networkId === network.id)
        .map((endpoint) => [
          record.Id,
          {
            Name: record.Name,
            EndpointID: '',
            MacAddress: endpoint.macAddress,
            IPv4Address: `${endpoint.ipAddress}/${endpoint.prefixLength}`,
            IPv6Address: endpoint.ipv6Address === '' ? '' : `${endpoint.ipv6Address}/${endpoint.ipv6PrefixLength ?? 0}`,
          },
        ]),
    ),
  );
  const v6 = network.subnet6 === undefined ? [] : [{ Subnet: network.subnet6, Gateway: network.gateway6 }];
  const Config = [{ Subnet: network.subnet, Gateway: network.gateway }, ...v6];
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv6: network.subnet6 !== undefined,
    IPAM: { Driver: 'default', Options: {}, Config },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigOnly: false,
    Containers,
    Options: network.options,
    Labels: network.labels,
  };
}

export function volumeInspection(volume: Volume): object {
  return {
    CreatedAt: volume.created,
    Driver: 'local',
    Labels: Object.keys(volume.labels).length === 0 ? null : volume.labels,
    Mountpoint: volume.path,
    Name: volume.name,
    Options: Object.keys(volume.options).length === 0 ? null : volume.options,
    Scope: 'local',
  };
}
