/** `-v`, `--mount` and `--tmpfs`, as text: what is to be mounted where. Volumes are looked up and made elsewhere. */

import { invalid } from '../container/errors.ts';

export interface MountSpec {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** A host path, a volume's name, or '' for an anonymous volume. */
  readonly source: string;
  /** Absolute, normalized. */
  readonly target: string;
  readonly readonly: boolean;
  /** `rprivate` and the like; '' for the default. */
  readonly propagation: string;
  /** The third part of `-v`, as given. */
  readonly mode: string;
  /** A new volume is filled from the image. */
  readonly copy: boolean;
  /** tmpfs: options as in mount(8), joined by commas. */
  readonly tmpfsOptions: string;
  /** `-v` makes a missing directory on the host; `--mount` refuses it. */
  readonly createSource: boolean;
  readonly recursive: boolean;
}

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
const MODES = ['ro', 'rw', 'z', 'Z', 'nocopy', 'consistent', 'cached', 'delegated', ...PROPAGATIONS];
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

const PLAIN = { readonly: false, propagation: '', mode: '', copy: true, tmpfsOptions: '', createSource: true, recursive: true };

/** `[SOURCE:]TARGET[:MODE,…]`. `cwd` is what a source beginning with `.` is relative to. @throws ContainerError invalid */
export function parseVolume(text: string, cwd: string): MountSpec {
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part) => part === '')) throw invalid(`invalid volume specification: '${text}'`);
  const [first = '', second, third] = parts;
  if (second === undefined) return { ...PLAIN, type: 'volume', source: '', target: target(first, text) };
  const isMode = third === undefined && !second.startsWith('/');
  if (isMode) return { ...PLAIN, type: 'volume', source: '', target: target(first, text), ...modeOf(second, text) };
  const source = first.startsWith('.') || first.startsWith('~') ? normalize(`${cwd}/${first}`) : first;
  const mode = third === undefined ? {} : modeOf(third, text);
  if (source.startsWith('/')) return { ...PLAIN, type: 'bind', source: normalize(source), target: target(second, text), ...mode };
  return { ...PLAIN, type: 'volume', source: checkedName(source), target: target(second, text), ...mode };
}

function modeOf(text: string, whole: string): Partial<MountSpec> {
  const words = text.split(',');
  const unknown = words.find((word) => !MODES.includes(word));
  if (unknown !== undefined || (words.includes('ro') && words.includes('rw'))) throw invalid(`invalid mode: ${text}`, `In -v ${whole}.`);
  const propagation = words.find((word) => PROPAGATIONS.includes(word)) ?? '';
  return { readonly: words.includes('ro'), propagation, mode: text, copy: !words.includes('nocopy') };
}

export function checkedName(name: string): string {
  if (!VOLUME_NAME.test(name)) {
    throw invalid(
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed.`,
      'If you intended to pass a host directory, use an absolute path.',
    );
  }
  return name;
}

/** `type=bind,source=/a,target=/b,readonly`. @throws ContainerError invalid */
export function parseMount(text: string): MountSpec {
  const fields = new Map<string, string>();
  for (const field of splitFields(text)) {
    const equals = field.indexOf('=');
    const key = equals < 0 ? field : field.slice(0, equals);
    const name = ALIASES[key.toLowerCase()];
    if (name === undefined) throw invalid(`invalid argument "${text}" for "--mount" flag: unexpected key '${key}' in '${field}'`);
    fields.set(name, equals < 0 ? 'true' : field.slice(equals + 1));
  }
  const type = fields.get('type') ?? 'volume';
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs') {
    throw invalid(
      `invalid argument "${text}" for "--mount" flag: mount type ${JSON.stringify(type)} is not supported: bind, volume, tmpfs are`,
    );
  }
  const given = fields.get('target');
  if (given === undefined) throw invalid(`invalid argument "${text}" for "--mount" flag: target is required`);
  const source = fields.get('source') ?? '';
  if (type === 'bind' && source === '') throw invalid(`invalid argument "${text}" for "--mount" flag: bind needs a source`);
  if (type === 'bind' && !source.startsWith('/'))
    throw invalid(`invalid mount config for type "bind": invalid mount path: '${source}' mount path must be absolute`);
  const options = [
    ...(fields.has('tmpfs-size') ? [`size=${fields.get('tmpfs-size')}`] : []),
    ...(fields.has('tmpfs-mode') ? [`mode=${fields.get('tmpfs-mode')}`] : []),
  ];
  const isOn = (name: string) => fields.has(name) && !['false', '0'].includes(fields.get(name) ?? '');
  return {
    ...PLAIN,
    type,
    source: type === 'volume' && source !== '' ? checkedName(source) : source,
    target: target(given, text),
    readonly: isOn('readonly'),
    propagation: fields.get('bind-propagation') ?? '',
    copy: !isOn('volume-nocopy'),
    recursive: !isOn('bind-nonrecursive'),
    tmpfsOptions: options.join(','),
    createSource: false,
  };
}

const ALIASES: Readonly<Record<string, string>> = {
  type: 'type',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  'bind-propagation': 'bind-propagation',
  'bind-nonrecursive': 'bind-nonrecursive',
  'volume-nocopy': 'volume-nocopy',
  'volume-driver': 'volume-driver',
  'volume-label': 'volume-label',
  consistency: 'consistency',
  'tmpfs-size': 'tmpfs-size',
  'tmpfs-mode': 'tmpfs-mode',
};

/** Fields are those of a line of CSV: one in quotes may hold commas. */
function splitFields(text: string): string[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

/** `/run` or `/run:rw,size=64m`. @throws ContainerError invalid */
export function parseTmpfs(text: string): MountSpec {
  const colon = text.indexOf(':');
  const path = colon < 0 ? text : text.slice(0, colon);
  const options = colon < 0 ? '' : text.slice(colon + 1);
  return { ...PLAIN, type: 'tmpfs', source: '', target: target(path, text), tmpfsOptions: options };
}

function target(text: string, whole: string): string {
  if (!text.startsWith('/')) throw invalid(`invalid volume specification: '${whole}': the path in the container must be absolute`);
  const path = normalize(text);
  if (path === '/') throw invalid(`invalid volume specification: '${whole}': the path in the container cannot be '/'`);
  return path;
}

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
