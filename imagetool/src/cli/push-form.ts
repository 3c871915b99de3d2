/** What `tsimg push` takes and prints, on both engines. */

import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Reference } from '../reference/reference.ts';
import type { CommandForm } from './command-form.ts';
import { PARALLEL, QUIET } from './options.ts';

export const PUSH: CommandForm = {
  name: 'push',
  usage: '[OPTIONS] IMAGE [NAME[:TAG]]',
  summary: 'Send an image to a registry, by its own name or by another',
  options: [PARALLEL, QUIET],
  positionals: [1, 2],
};

/** What docker says at the end. */
export function pushedLine(reference: Reference, { digest, size }: Descriptor): string {
  return `${reference.tag ?? digest}: digest: ${digest} size: ${size}`;
}
