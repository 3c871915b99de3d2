/** `RUN --mount=type=…,key=value,…`, after its variables were put in. */

import { posix } from 'node:path';
import { findNearestName } from '../../../../specs/schema/nearest-name.ts';
import { parseCsv } from './csv.ts';
import type { Mount, MountOwner } from './expanded.ts';
import { parseSize } from './size.ts';

/** What is wrong with the text of a mount; the caller knows where it stands. */
export class MountError extends Error {
  readonly hint: string | undefined;

  constructor(reason: string, hint?: string) {
    super(reason);
    this.name = 'MountError';
    this.hint = hint;
  }
}

type MountType = Mount['type'];
type Key = 'type' | 'from' | 'source' | 'target' | 'readonly' | 'size' | 'id' | 'sharing' | 'required' | 'mode' | 'uid' | 'gid' | 'env';

const TYPES: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const SHARING = ['shared', 'private', 'locked'] as const;

/** Every spelling of a key. `readwrite` is the opposite of `readonly`. */
const KEYS: Readonly<Record<string, Key | 'readwrite'>> = {
  type: 'type',
  from: 'from',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  readwrite: 'readwrite',
  rw: 'readwrite',
  size: 'size',
  id: 'id',
  sharing: 'sharing',
  required: 'required',
  mode: 'mode',
  uid: 'uid',
  gid: 'gid',
  env: 'env',
};

/** The keys of each type, beside `type`. */
const ALLOWED: Readonly<Record<MountType, readonly Key[]>> = {
  bind: ['from', 'source', 'target', 'readonly'],
  cache: ['from', 'source', 'target', 'readonly', 'id', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size', 'readonly'],
  secret: ['id', 'source', 'target', 'env', 'required', 'mode', 'uid', 'gid', 'readonly'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid', 'readonly'],
};

/** `expand` puts variables into a value. Throws MountError, and what `expand` throws. */
export function parseMount(text: string, expand: (value: string) => string): Mount {
  const fields = readFields(text, expand);
  const type = oneOf(fields.get('type')?.toLowerCase() ?? 'bind', 'type', TYPES);
  for (const key of fields.keys()) {
    if (key === 'type' || ALLOWED[type].includes(key)) continue;
    throw new MountError(`a ${type} mount has no ${key}`, `It has ${ALLOWED[type].join(', ')}.`);
  }
  return MAKERS[type](fields);
}

/** The values of `from` as they are written: what a mount needs is known before its variables are. Throws MountError. */
export function mountSource(text: string): { readonly from?: string } {
  const from = splitFields(text).findLast(({ key }) => key === 'from')?.value;
  if (from !== undefined && /\$./.test(from)) {
    throw new MountError('from takes no variables', 'Name a stage with FROM and the variable, and use its name here.');
  }
  return from === undefined ? {} : { from };
}

type Fields = ReadonlyMap<Key, string>;

function splitFields(text: string): { readonly field: string; readonly key: string; readonly value?: string }[] {
  const fields = parseCsv(text);
  if (fields === undefined) throw new MountError('its quotes do not match');
  return fields.map((field) => {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    return equals < 0 ? { field, key } : { field, key, value: field.slice(equals + 1) };
  });
}

function readFields(text: string, expand: (value: string) => string): Fields {
  const fields = new Map<Key, string>();
  for (const { field, key: written, value } of splitFields(text)) {
    const key = Object.hasOwn(KEYS, written) ? KEYS[written] : undefined;
    if (key === undefined) {
      const nearest = findNearestName(written, Object.keys(KEYS));
      throw new MountError(`a mount has no ${JSON.stringify(field)}`, nearest === undefined ? undefined : `Did you mean ${nearest}?`);
    }
    const isSwitch = key === 'readonly' || key === 'readwrite' || key === 'required';
    if (value === undefined && !isSwitch) throw new MountError(`${written} needs a value: ${written}=…`);
    const expanded = value === undefined ? 'true' : expand(value);
    if (key === 'readwrite') fields.set('readonly', String(!booleanOf(expanded, written)));
    else fields.set(key, isSwitch ? String(booleanOf(expanded, written)) : expanded);
  }
  return fields;
}

const MAKERS: Readonly<Record<MountType, (fields: Fields) => Mount>> = {
  bind: (fields) => ({
    type: 'bind',
    // The working directory, as buildkit has it.
    target: fields.has('target') ? targetOf(fields) : '.',
    source: fields.get('source') ?? '/',
    ...fromOf(fields),
    readOnly: fields.get('readonly') !== 'false',
  }),
  cache: (fields) => {
    const target = targetOf(fields);
    return {
      type: 'cache',
      id: fields.get('id') || posix.normalize(target).replace(/(?<=.)\/$/, ''),
      target,
      source: fields.get('source') ?? '/',
      ...fromOf(fields),
      readOnly: fields.get('readonly') === 'true',
      sharing: oneOf((fields.get('sharing') ?? 'shared').toLowerCase(), 'sharing', SHARING),
      ...ownerOf(fields),
    };
  },
  tmpfs: (fields) => {
    const text = fields.get('size');
    const size = text === undefined ? undefined : parseSize(text);
    if (text !== undefined && size === undefined) throw new MountError(`size=${text} is no size`, 'Sizes are as 64m or 1g.');
    return { type: 'tmpfs', target: targetOf(fields), ...(size === undefined || size === 0 ? {} : { size }) };
  },
  secret: secretOf,
  ssh: (fields) => ({
    type: 'ssh',
    id: fields.get('id') || 'default',
    ...(fields.get('target') ? { target: fields.get('target') ?? '' } : {}),
    required: fields.get('required') === 'true',
    ...ownerOf(fields),
  }),
};

function secretOf(fields: Fields): Mount {
  const [written, source] = [fields.get('id') ?? '', fields.get('source') ?? ''];
  if (written !== '' && source !== '') throw new MountError('a secret has id or source, not both');
  const target = fields.get('target') ?? '';
  const id = written || source || baseName(target);
  if (id === '') throw new MountError('a secret mount needs an id');
  const env = fields.has('env') ? fields.get('env') || id : undefined;
  const file = target || (env === undefined ? `/run/secrets/${baseName(id)}` : '');
  return {
    type: 'secret',
    id,
    ...(file === '' ? {} : { target: file }),
    ...(env === undefined ? {} : { env }),
    required: fields.get('required') === 'true',
    ...ownerOf(fields),
  };
}

function baseName(path: string): string {
  return posix.basename(path);
}

function targetOf(fields: Fields): string {
  const target = fields.get('target') ?? '';
  if (target === '') throw new MountError('a mount needs a target', 'Say where it appears: target=/path.');
  if (posix.normalize(target) === '/') throw new MountError('target=/ would hide the whole image');
  return target;
}

function fromOf(fields: Fields): { readonly from?: string } {
  const from = fields.get('from') ?? '';
  return from === '' ? {} : { from };
}

function ownerOf(fields: Fields): MountOwner {
  return {
    ...numberOf(fields, 'uid', /^\d+$/, 10),
    ...numberOf(fields, 'gid', /^\d+$/, 10),
    ...numberOf(fields, 'mode', /^[0-7]+$/, 8),
  };
}

function numberOf<Name extends 'uid' | 'gid' | 'mode'>(
  fields: Fields,
  name: Name,
  shape: RegExp,
  radix: number,
): { readonly [key in Name]?: number } {
  const text = fields.get(name);
  if (text === undefined) return {};
  const value = shape.test(text) ? Number.parseInt(text, radix) : Number.NaN;
  const most = name === 'mode' ? 0o7777 : 2 ** 32 - 2;
  if (!(value <= most)) throw new MountError(`${name}=${text} is no ${name === 'mode' ? 'octal mode' : 'number of a user or group'}`);
  return { [name]: value } as { readonly [key in Name]?: number };
}

function booleanOf(text: string, key: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new MountError(`${key} is true or false, not ${JSON.stringify(text)}`);
}

function oneOf<Choice extends string>(text: string, key: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  const nearest = findNearestName(text, choices);
  throw new MountError(
    `${key} cannot be ${JSON.stringify(text)}`,
    nearest === undefined ? `It is one of ${choices.join(', ')}.` : `Did you mean ${nearest}?`,
  );
}
