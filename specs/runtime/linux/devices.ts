import { int64, object, oneOf, optional, string, uint32 } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';

export const DEVICE_TYPES = ['c', 'b', 'u', 'p'] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

/** A device node that must be there in the container (`config-linux.md#devices`). */
export const Device = object(
  {
    /** `c` and `u` are character devices, `b` block devices, `p` FIFOs. */
    type: oneOf(DEVICE_TYPES),
    path: string,
    /** Required unless `type` is `p`. */
    major: optional(int64),
    minor: optional(int64),
    /** Permission bits. Callers also send the file-type bits of `st_mode`; loading strips them. */
    fileMode: optional(uint32),
    /** Owner, as seen in the container. */
    uid: optional(uint32),
    gid: optional(uint32),
  },
  { section: 'config-linux.md#devices' },
);
export interface Device extends Infer<typeof Device> {}

/** A network device, named by its key on the host, to be moved into the container (`config-linux.md#network-devices`). */
export const NetDevice = object(
  {
    /** Name inside; may end in `%d` for the kernel to number. Absent: the host's name. */
    name: optional(string),
  },
  { section: 'config-linux.md#network-devices' },
);
export interface NetDevice extends Infer<typeof NetDevice> {}
