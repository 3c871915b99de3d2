/** The runtime options that come with a create: runc's own, or a file's worth of TOML in the general ones. */

import { type Any, anyBytes, isAnyOf } from '../../../specs/containerd/any.ts';
import { containerd, runtimeoptions } from '../../../specs/containerd/gen/containerd.js';
import { messageOf } from '../base/node-error.ts';
import { invalid } from './errors.ts';

export interface TaskOptions {
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** Who shall own the pipes of a container's output. */
  readonly ioOwner: { readonly uid: number; readonly gid: number } | undefined;
  /** Directory of the runtime's state, instead of the shim's own; each containerd namespace has a directory in it. */
  readonly root: string | undefined;
  readonly systemdCgroup: boolean;
  /** Where CRIU writes its log when a checkpoint is restored; undefined: in the shim's own state. */
  readonly criuWorkPath: string | undefined;
}

export const DEFAULT_OPTIONS: TaskOptions = {
  noPivot: false,
  noNewKeyring: false,
  ioOwner: undefined,
  root: undefined,
  systemdCgroup: false,
  criuWorkPath: undefined,
};

const RUNC = 'containerd.runc.v1.Options';
const GENERAL = 'runtimeoptions.v1.Options';

/** @throws StatusError InvalidArgument */
export function parseOptions(any: Any | null | undefined): TaskOptions {
  if (any === null || any === undefined || (any.type_url ?? '') === '') return DEFAULT_OPTIONS;
  if (isAnyOf(any, RUNC)) return fromRunc(decode(RUNC, () => containerd.runc.v1.Options.decode(anyBytes(any))));
  // Docker writes the package that the Go import has.
  if (isAnyOf(any, GENERAL) || isAnyOf(any, 'cri.runtimeoptions.v1.Options')) {
    const { configBody } = decode(GENERAL, () => runtimeoptions.v1.Options.decode(anyBytes(any)));
    return fromToml(new TextDecoder().decode(configBody));
  }
  throw invalid(`options of type ${any.type_url} are not known: expected ${RUNC} or ${GENERAL}`);
}

function decode<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw invalid(`options are no ${name}: ${messageOf(error)}`, error);
  }
}

function fromRunc(options: containerd.runc.v1.Options): TaskOptions {
  const { noPivotRoot, noNewKeyring, ioUid, ioGid, root, systemdCgroup, criuWorkPath } = options;
  if (root !== '' && !root.startsWith('/')) throw invalid(`options.root ${JSON.stringify(root)} is not an absolute path`);
  if (criuWorkPath !== '' && !criuWorkPath.startsWith('/')) {
    throw invalid(`options.criu_work_path ${JSON.stringify(criuWorkPath)} is not an absolute path`);
  }
  return {
    noPivot: noPivotRoot,
    noNewKeyring,
    ioOwner: ioUid === 0 && ioGid === 0 ? undefined : { uid: ioUid, gid: ioGid },
    root: root === '' ? undefined : root,
    systemdCgroup,
    criuWorkPath: criuWorkPath === '' ? undefined : criuWorkPath,
  };
}

/** `NAME = value` lines with the names that containerd's `[…options]` has; tables and other names are somebody else's. */
function fromToml(text: string): TaskOptions {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*([A-Za-z]+)\s*=\s*(true|false|\d+|"[^"\\]*"|'[^']*')\s*(?:#.*)?$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value.replace(/^["']|["']$/g, ''));
  }
  return fromRunc(
    containerd.runc.v1.Options.create({
      noPivotRoot: values.get('NoPivotRoot') === 'true',
      noNewKeyring: values.get('NoNewKeyring') === 'true',
      systemdCgroup: values.get('SystemdCgroup') === 'true',
      root: values.get('Root') ?? '',
      ioUid: Number(values.get('IoUid') ?? 0),
      ioGid: Number(values.get('IoGid') ?? 0),
    }),
  );
}
