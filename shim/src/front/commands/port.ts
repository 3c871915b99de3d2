import { findContainer } from '../../container/containers.ts';
import { ContainerError } from '../../container/errors.ts';
import { comparePorts } from '../../network/port-spec.ts';
import type { Command } from '../context.ts';

export const port: Command = async (context, args) => {
  const [text = '', wanted] = args.positionals;
  const { record, state } = findContainer(context.places, text);
  const ports = Object.entries(state.pid === 0 ? {} : state.ports).sort(([a], [b]) => comparePorts(a, b));
  const named = wanted === undefined || wanted.includes('/') ? wanted : `${wanted}/tcp`;
  const chosen = ports.filter(([name]) => named === undefined || name === named);
  if (named !== undefined && chosen.length === 0)
    throw new ContainerError('port', `no public port '${wanted}' published for ${record.Name}`);
  for (const [name, bindings] of chosen) {
    for (const { HostIp, HostPort } of bindings) {
      const place = `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
      context.print(named === undefined ? `${name} -> ${place}` : place);
    }
  }
  return 0;
};
