/** A store: its place, and the system interface its locks need. All that can be done with it is in the files beside this one. */

import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ImageError } from '../base/errors.ts';
import { ensureLayout, hasLayout, type Layout, layoutAt } from './layout.ts';

export interface Store {
  readonly layout: Layout;
  readonly sys: Sys;
}

/** Opens the store at a directory, making it if it is missing. Throws ImageError `layout` for a directory that is something else. */
export function openStore(root: string, sys: Sys): Store {
  const layout = layoutAt(root);
  ensureLayout(layout);
  return { layout, sys };
}

/** The files of an existing store, for reading: that takes no lock. Throws ImageError `layout`, or `no-store` where there is nothing. */
export function openLayout(root: string): Layout {
  const layout = layoutAt(root);
  if (!hasLayout(layout)) throw new ImageError('no-store', `there is no image store at ${root}`);
  return layout;
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
