import { array, boolean, deprecated, matching, object, optional, string } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';

const SINGLE_LINE = matching(/^[^\n]*$/, 'a single line');

/** Cache and memory bandwidth allocation (`config-linux.md#intelrdt`). */
export const IntelRdt = object(
  {
    /** Directory below the resctrl file system; `/` is its root. Absent: the container's ID. */
    closID: optional(string),
    /** Lines for the `schemata` file, written after the two below. */
    schemata: optional(array(SINGLE_LINE)),
    l3CacheSchema: optional(string),
    memBwSchema: optional(matching(/^MB:[^\n]*$/, 'a single line that starts with "MB:"')),
    /** Makes a monitoring group with the container's ID. */
    enableMonitoring: optional(boolean),
    enableCMT: deprecated(boolean, 'replaced by enableMonitoring in version 1.3.0 and ignored'),
    enableMBM: deprecated(boolean, 'replaced by enableMonitoring in version 1.3.0 and ignored'),
  },
  { section: 'config-linux.md#intelrdt' },
);
export interface IntelRdt extends Infer<typeof IntelRdt> {}
