/** The lines of `port`; on both engines. */

import type { Container } from '../../container/container-reader.ts';
import { ContainerError } from '../../container/errors.ts';
import { comparePorts } from '../../network/port-spec.ts';

/** `wanted`: a port of the container, with or without a protocol. @throws ContainerError port */
export function portLines({ record, state }: Container, wanted: string | undefined): string[] {
  const ports = Object.entries(state.pid === 0 ? {} : state.ports).sort(([a], [b]) => comparePorts(a, b));
  const named = wanted === undefined || wanted.includes('/') ? wanted : `${wanted}/tcp`;
  const chosen = ports.filter(([name]) => named === undefined || name === named);
  if (named !== undefined && chosen.length === 0)
    throw new ContainerError('port', `no public port '${wanted}' published for ${record.Name}`);
  return chosen.flatMap(([name, bindings]) =>
    bindings.map(({ HostIp, HostPort }) => {
      const place = `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
      return named === undefined ? `${name} -> ${place}` : place;
    }),
  );
}
