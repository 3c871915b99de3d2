import { array, int64, object, optional, uint16, uint64 } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';

const SECTION = { section: 'config-linux.md#block-io' };

/** Weight of one device; at least one of the two weights is given. */
export const WeightDevice = object({ major: int64, minor: int64, weight: optional(uint16), leafWeight: optional(uint16) }, SECTION);
export interface WeightDevice extends Infer<typeof WeightDevice> {}

/** Limit of one device in bytes or operations a second. */
export const ThrottleDevice = object({ major: int64, minor: int64, rate: uint64 }, SECTION);
export interface ThrottleDevice extends Infer<typeof ThrottleDevice> {}

/** Block I/O limits (`config-linux.md#block-io`). */
export const BlockIO = object(
  {
    weight: optional(uint16),
    leafWeight: optional(uint16),
    weightDevice: optional(array(WeightDevice)),
    throttleReadBpsDevice: optional(array(ThrottleDevice)),
    throttleWriteBpsDevice: optional(array(ThrottleDevice)),
    throttleReadIOPSDevice: optional(array(ThrottleDevice)),
    throttleWriteIOPSDevice: optional(array(ThrottleDevice)),
  },
  SECTION,
);
export interface BlockIO extends Infer<typeof BlockIO> {}
