/** What a command is given of the outside world. What takes time to load is loaded when it is first asked for. */

import type { Context as ImageContext } from '../../../imagetool/src/cli/command.ts';
import type { Store } from '../../../imagetool/src/store/store.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Places } from '../container/places.ts';
import type { Shim } from './shim.ts';

export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly places: Places;
  /** A line of results. */
  print(line: string): void;
  /** A line for people. */
  note(line: string): void;
  /** Text of results, as it is. */
  write(text: string | Uint8Array): void;
  sys(): Promise<Sys>;
  store(): Promise<Store>;
  /** The process that holds the containers; it is started if there is none. */
  shim(): Promise<Shim>;
  /** For the code of tsimg. */
  images(): Promise<ImageContext>;
}

export type Command = (context: Context, args: import('./cli/flags.ts').Arguments) => Promise<number>;
