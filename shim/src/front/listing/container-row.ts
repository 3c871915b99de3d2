/** A container as a row of `ps`. */

import type { Container } from '../../container/container-reader.ts';
import { shortId } from '../../container/id.ts';
import { formatDecimalSize } from '../../container/size.ts';
import { ago } from '../format/human-time.ts';
import type { Row, TableShape } from '../format/printer.ts';
import { truncate } from '../format/table.ts';
import { portsText, statusText } from './status.ts';

export const CONTAINER_TABLE: TableShape = {
  headers: {
    ID: 'CONTAINER ID',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Status: 'STATUS',
    State: 'STATE',
    Ports: 'PORTS',
    Names: 'NAMES',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
    Size: 'SIZE',
  },
  columns: ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
};

const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

export interface RowOptions {
  readonly nowMs: number;
  readonly noTrunc: boolean;
  /** Of the writable layer and of the image, in bytes; undefined: not asked for. */
  readonly size: { readonly own: number; readonly image: number } | undefined;
}

export function containerRow({ record, state }: Container, { nowMs, noTrunc, size }: RowOptions): Row {
  const { Config: run } = record;
  const command = [...(run.Entrypoint ?? []), ...(run.Cmd ?? [])].map(quoteArgument).join(' ');
  const cut = (text: string, width: number) => (noTrunc ? text : truncate(text, width));
  return {
    ID: noTrunc ? record.Id : shortId(record.Id),
    Image: run.Image,
    Command: goQuote(cut(command, COMMAND_WIDTH)),
    CreatedAt: record.Created.replace('T', ' ').replace(/\.\d+Z$/, ' +0000 UTC'),
    RunningFor: ago(record.Created, nowMs),
    Status: statusText(state, nowMs),
    State: state.status,
    Ports: portsText(record, state),
    Names: record.Name,
    Labels: Object.entries(run.Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Mounts: record.Mounts.map(({ Name, Source }) => cut(Name ?? Source, MOUNT_WIDTH)).join(','),
    LocalVolumes: record.Mounts.filter(({ Type }) => Type === 'volume').length,
    Networks: record.Networks.length === 0 ? record.HostConfig.NetworkMode : record.Networks.map(({ name }) => name).join(','),
    Size: size === undefined ? '0B' : `${formatDecimalSize(size.own)} (virtual ${formatDecimalSize(size.own + size.image)})`,
  };
}

/** As docker joins a command line: words with spaces and the like in single quotes. */
function quoteArgument(word: string): string {
  if (word === '') return "''";
  return /[\s'"\\$`;&|<>()*?[\]{}~#!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : word;
}

function goQuote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}
