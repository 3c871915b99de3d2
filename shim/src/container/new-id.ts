/** Ids of containers and networks: 64 hexadecimal digits, called by 12 or by any unique beginning. */

import { randomBytes } from 'node:crypto';

/** An id whose short form is all digits would look like a number to tools: it is drawn again. */
export function newId(random: (bytes: number) => Uint8Array = randomBytes): string {
  for (;;) {
    const id = Buffer.from(random(32)).toString('hex');
    if (!/^\d{12}/.test(id)) return id;
  }
}
