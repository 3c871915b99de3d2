/** A store: its place, and the system interface its locks need. All that can be done with it is in the files beside this one. */

import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ImageError } from '../base/errors.ts';
import { ensureLayout, hasLayout, type Layout, layoutAt } from './layout.ts';

export interface Store {
  readonly layout: Layout;
  readonly sys: Sys;
}

export interface OpenStoreOptions {
  readonly root: string;
  /** Called at the first lock: commands that only read do without, and start faster. */
  readonly loadSys: () => Sys;
  /** Makes the store if it is missing; else a missing store is an error. */
  readonly create: boolean;
}

/** Opens the store at a directory. Throws ImageError `layout` for a directory that is something else, `no-store` for a missing one. */
export function openStore(options: OpenStoreOptions): Store {
  const layout = layoutAt(options.root);
  if (options.create) ensureLayout(layout);
  else if (!hasLayout(layout)) throw new ImageError('no-store', `there is no image store at ${options.root}`);
  let sys: Sys | undefined;
  return {
    layout,
    get sys() {
      sys ??= options.loadSys();
      return sys;
    },
  };
}

/** Where the store is unless the user says otherwise: `/var/lib/tsrun` for root, `$XDG_DATA_HOME/tsrun` for others. */
export function defaultRoot(user: { readonly uid: number; readonly env: Readonly<Record<string, string | undefined>> }): string {
  if (user.uid === 0) return '/var/lib/tsrun';
  const dataHome = user.env['XDG_DATA_HOME'];
  if (dataHome?.startsWith('/') === true) return `${dataHome}/tsrun`;
  const home = user.env['HOME'];
  if (home === undefined || home === '')
    throw new ImageError('no-store', 'neither XDG_DATA_HOME nor HOME is set: give the store with --root');
  return `${home}/.local/share/tsrun`;
}
