import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { formatReference, parseReference, withDefaultTag } from '../reference/reference.ts';
import { LEASE_MS, type Lease, takeLease } from '../store/leases.ts';
import { addImage, setImage } from '../store/refs.ts';
import type { Store } from '../store/store.ts';

/** Makes an image under a lease and enters it in the store, with a name if one is given. A wrong name is found before any work is done. */
export async function keepImage(store: Store, name: string | undefined, make: (lease: Lease) => Promise<Descriptor>): Promise<Descriptor> {
  const reference = name === undefined ? undefined : withDefaultTag(parseReference(name));
  const lease = await takeLease(store, { id: `new-${process.pid}`, expiresInMs: LEASE_MS });
  try {
    const image = await make(lease);
    await (reference === undefined ? addImage(store, image) : setImage(store, formatReference(reference), image));
    return image;
  } finally {
    lease.release();
  }
}
