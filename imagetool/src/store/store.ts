/** A store: its place, and the system interface its locks need. All that can be done with it is in the files beside this one. */

import { resolve } from 'node:path';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ImageError } from '../base/errors.ts';
import { type Layout, layoutAt } from './layout.ts';
import { ensureLayout, hasLayout } from './make-layout.ts';

export interface Store {
  readonly layout: Layout;
  readonly sys: Sys;
}

/** Opens the store at a directory, making it if it is missing. Throws ImageError `layout` for a directory that is something else. */
export function openStore(root: string, sys: Sys): Store {
  const layout = layoutAt(resolve(root));
  ensureLayout(layout);
  return { layout, sys };
}

/** The files of an existing store, for reading: that takes no lock. Throws ImageError `layout`, or `no-store` where there is nothing. */
export function openLayout(root: string): Layout {
  const layout = layoutAt(resolve(root));
  if (!hasLayout(layout)) throw new ImageError('no-store', `there is no image store at ${root}`);
  return layout;
}
