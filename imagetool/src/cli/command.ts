/** What a command of tsimg is, and what it is given. */

import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { ProgressListener } from '../image/progress.ts';
import type { Reference } from '../reference/reference.ts';
import type { Credentials } from '../registry/auth.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Layout } from '../store/layout.ts';
import type { Store } from '../store/store.ts';
import type { ParsedArgs } from './args.ts';
import type { CommandForm } from './command-form.ts';

export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lines on standard output; the results. */
  print(line: string): void;
  /** Lines on standard error; everything else. */
  note(line: string): void;
  /** Where an existing store's files are, for reading. Needs no locks, and so no system interface. */
  layout(): Layout;
  /** The store, for changing it: made if missing. */
  store(): Promise<Store>;
  sys(): Promise<Sys>;
  /** With stored credentials, or with those given. */
  client(reference: Pick<Reference, 'domain' | 'path'>, credentials?: Credentials): Promise<RegistryClient>;
  progress(): Promise<ProgressListener>;
}

export interface Command extends CommandForm {
  /** The exit code, if it is not 0. Throws for failures. */
  run(context: Context, args: ParsedArgs): Promise<number | undefined>;
}
