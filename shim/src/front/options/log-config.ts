/** `--log-driver` and `--log-opt`. What docker's json-file driver can do and this one cannot is refused by name. */

import { ContainerError, invalid } from '../../container/errors.ts';
import { checkLogTag } from '../../container/log-attributes.ts';
import type { LogConfig } from '../../container/record.ts';
import { parseBytes } from '../../container/size.ts';
import type { Arguments } from '../cli/flags.ts';

const DRIVERS = ['json-file', 'local', 'none'];

/** Undefined: any value. */
const OPTIONS: Readonly<Record<string, ((value: string) => void) | undefined>> = {
  'max-size': (value) => {
    if (value !== '-1') parseBytes(value);
  },
  'max-file': (value) => {
    if (!/^[1-9]\d*$/.test(value)) throw invalid(`max-file cannot be less than 1: ${value}`);
  },
  compress: (value) => only('compress', value, 'false', 'Files that are full stay as they are.'),
  mode: (value) => only('mode', value, 'blocking', 'A container waits until its output is written.'),
  labels: undefined,
  'labels-regex': checkPattern,
  env: undefined,
  'env-regex': checkPattern,
  tag: checkLogTag,
};

/** @throws ContainerError invalid, unsupported */
export function logConfigOf(args: Arguments): LogConfig {
  const type = args.value('log-driver') ?? 'json-file';
  if (!DRIVERS.includes(type)) {
    throw new ContainerError('unsupported', `logger: no log driver named '${type}' is registered`, {
      hint: 'There are json-file, local and none.',
    });
  }
  const pairs = args.values('log-opt').map((text): [string, string] => {
    const equals = text.indexOf('=');
    const [key, value] = equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    if (!(key in OPTIONS)) throw invalid(`unknown log opt '${key}' for ${type} log driver`);
    OPTIONS[key]?.(value);
    return [key, value];
  });
  return { Type: type, Config: Object.fromEntries(pairs) };
}

function only(name: string, value: string, can: string, why: string): void {
  if (value !== can) throw new ContainerError('unsupported', `--log-opt ${name}=${value} is not supported`, { hint: why });
}

function checkPattern(value: string): void {
  try {
    new RegExp(value);
  } catch (error) {
    throw new ContainerError('invalid', `invalid regular expression in --log-opt: ${value}`, { cause: error });
  }
}
