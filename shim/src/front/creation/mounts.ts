/** A container's mounts: what flags and image ask for, with volumes looked up or made. */

import { existsSync, mkdirSync } from 'node:fs';
import { findContainer } from '../../container/containers.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import type { Places } from '../../container/places.ts';
import type { MountPoint } from '../../container/record.ts';
import { type MountSpec, parseMount, parseTmpfs, parseVolume } from '../../volume/mount-spec.ts';
import { ensureVolume, type Volume } from '../../volume/volumes.ts';
import type { Arguments } from '../cli/flags.ts';

export interface PlannedMounts {
  readonly mounts: readonly MountPoint[];
  /** To be filled from the image, if they are empty. */
  readonly fills: readonly { readonly volume: Volume; readonly target: string }[];
}

/** Later ones win where two have one place: the image's volumes, other containers', those of flags. @throws ContainerError */
export function planMounts(places: Places, args: Arguments, imageVolumes: readonly string[], cwd: string): PlannedMounts {
  const inherited = args.values('volumes-from').flatMap((text) => mountsFrom(places, text));
  const given = [...args.values('volume').map((text) => parseVolume(text, cwd)), ...args.values('mount').map(parseMount)];
  const targets = new Set<string>();
  for (const { target } of given) {
    if (targets.has(target)) throw invalid(`Duplicate mount point: ${target}`);
    targets.add(target);
  }
  const tmpfs = new Set(args.values('tmpfs').map((text) => parseTmpfs(text).target));
  const others = new Set([...targets, ...inherited.map(({ Destination }) => Destination), ...tmpfs]);
  const image = imageVolumes.map((path) => parseVolume(path, cwd)).filter(({ target }) => !others.has(target));
  const made = [...image, ...given].map((spec) => mountOf(places, spec));
  return {
    mounts: [...inherited.filter(({ Destination }) => !targets.has(Destination)), ...made.map(({ mount }) => mount)],
    fills: made.flatMap(({ fill }) => (fill === undefined ? [] : [fill])),
  };
}

interface MadeMount {
  readonly mount: MountPoint;
  readonly fill?: { readonly volume: Volume; readonly target: string };
}

function mountOf(places: Places, spec: MountSpec): MadeMount {
  const common = { Destination: spec.target, Mode: spec.mode, RW: !spec.readonly, Propagation: spec.propagation };
  if (spec.type === 'tmpfs') return { mount: { ...common, Type: 'tmpfs', Source: '', Mode: spec.tmpfsOptions } };
  if (spec.type === 'bind') {
    makeSource(spec);
    return {
      mount: { ...common, Type: 'bind', Source: spec.source, Propagation: spec.propagation === '' ? 'rprivate' : spec.propagation },
    };
  }
  const { volume } = ensureVolume(places, spec.source === '' ? {} : { name: spec.source });
  const mount: MountPoint = {
    ...common,
    Type: 'volume',
    Name: volume.name,
    Source: volume.path,
    Driver: 'local',
    ...(volume.anonymous ? { Anonymous: true } : {}),
  };
  return spec.copy ? { mount, fill: { volume, target: spec.target } } : { mount };
}

/** `-v` makes a directory that is missing, `--mount` does not: both as docker. */
function makeSource(spec: MountSpec): void {
  if (existsSync(spec.source)) return;
  if (!spec.createSource) {
    throw new ContainerError('invalid', `invalid mount config for type "bind": bind source path does not exist: ${spec.source}`);
  }
  mkdirSync(spec.source, { recursive: true });
}

function mountsFrom(places: Places, text: string): MountPoint[] {
  const [name = '', mode = 'rw'] = text.split(':');
  if (mode !== 'ro' && mode !== 'rw') throw invalid(`invalid mode: ${mode}`, 'In --volumes-from.');
  const { record } = findContainer(places, name);
  return record.Mounts.filter(({ Type }) => Type !== 'tmpfs').map((mount) => ({ ...mount, RW: mount.RW && mode === 'rw' }));
}
