import { array, object, uint32 } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';

/** One line of a uid or gid map (`config-linux.md#user-namespace-mappings`). */
export const IdMapping = object(
  {
    /** The first id inside the container. */
    containerID: uint32,
    /** The first id outside, which `containerID` is mapped to. */
    hostID: uint32,
    /** How many ids are mapped. */
    size: uint32,
  },
  { section: 'config-linux.md#user-namespace-mappings' },
);
export interface IdMapping extends Infer<typeof IdMapping> {}

export const IdMappings = array(IdMapping);
