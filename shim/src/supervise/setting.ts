/** What supervisors are given: nothing of the outside world is taken from anywhere else. */

import type { Store } from '../../../imagetool/src/store/store.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Places } from '../container/places.ts';
import type { CniPlaces } from '../network/cni-list.ts';
import type { Tasks } from './tasks.ts';

export interface Setting {
  readonly sys: Sys;
  readonly places: Places;
  readonly store: Store;
  readonly cni: CniPlaces;
  readonly tasks: Tasks;
  readonly warn: (message: string) => void;
}
