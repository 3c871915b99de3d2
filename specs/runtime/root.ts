import { boolean, object, optional, string } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';

/** The root filesystem (`config.md#root`). */
export const Root = object(
  {
    /** Absolute, or relative to the bundle. */
    path: string,
    readonly: optional(boolean),
  },
  { section: 'config.md#root' },
);
export interface Root extends Infer<typeof Root> {}
