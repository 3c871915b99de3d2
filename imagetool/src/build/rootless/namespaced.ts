import { isInUserNamespace } from '../../../../runtime/src/operations/host-facts.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';

/** Whether this process is root of no more than a user namespace. */
export function isNamespaced(sys: Sys): boolean {
  return isInUserNamespace(sys);
}
