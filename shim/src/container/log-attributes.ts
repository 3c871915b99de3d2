/** What a log's records say beside their text, as `--log-opt labels=…,env=…,tag=…` asks: docker's `attrs`, shown by `logs --details`. Pure. */

import { invalid } from './errors.ts';
import type { ContainerRecord } from './record.ts';

type Named = Pick<ContainerRecord, 'Id' | 'Name' | 'Image'> & {
  readonly Config: Pick<ContainerRecord['Config'], 'Image' | 'Env' | 'Labels'>;
};

/** Docker's fields of a tag. */
const TAG_FIELDS: Readonly<Record<string, (record: Named) => string>> = {
  ID: ({ Id }) => Id.slice(0, 12),
  FullID: ({ Id }) => Id,
  Name: ({ Name }) => Name,
  ImageID: ({ Image }) => Image.replace(/^sha256:/, '').slice(0, 12),
  ImageFullID: ({ Image }) => Image,
  ImageName: ({ Config }) => Config.Image,
  DaemonName: () => 'tsctl',
};

const FIELD = /\{\{\s*\.(\w+)\s*\}\}/g;

/** @throws ContainerError invalid for a field that there is not */
export function checkLogTag(tag: string): void {
  const rest = tag.replace(FIELD, (_, name: string) => {
    if (TAG_FIELDS[name] === undefined)
      throw invalid(`--log-opt tag has no field .${name}`, `There are ${Object.keys(TAG_FIELDS).join(', ')}.`);
    return '';
  });
  if (rest.includes('{{')) throw invalid(`--log-opt tag takes fields only: ${tag}`, `There are ${Object.keys(TAG_FIELDS).join(', ')}.`);
}

/** Empty where nothing is asked for. */
export function logAttributes(record: Named, options: Readonly<Record<string, string>>): Record<string, string> {
  const env = Object.fromEntries((record.Config.Env ?? []).map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]));
  const { tag } = options;
  return {
    ...chosen(record.Config.Labels ?? {}, options['labels'], options['labels-regex']),
    ...chosen(env, options['env'], options['env-regex']),
    ...(tag === undefined || tag === '' ? {} : { tag: tag.replace(FIELD, (_, name: string) => TAG_FIELDS[name]?.(record) ?? '') }),
  };
}

function chosen(all: Readonly<Record<string, string>>, names: string | undefined, pattern: string | undefined): Record<string, string> {
  const wanted = (names ?? '').split(',').map((name) => name.trim());
  const isLike = pattern === undefined || pattern === '' ? () => false : (name: string) => new RegExp(pattern).test(name);
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name) || isLike(name)));
}
