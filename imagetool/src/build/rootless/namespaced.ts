import { isInUserNamespace } from '../../../../runtime/src/linux/user-namespace.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';

/** Whether this process is root of no more than a user namespace. */
export function isNamespaced(sys: Sys): boolean {
  return isInUserNamespace(sys);
}
