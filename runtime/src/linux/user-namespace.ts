/** Whether this process is in a user namespace of somebody's making (user_namespaces(7)). */
import type { Sys } from '../sys/sys.ts';
import { readFileIfExists } from './files.ts';

/** All 2^32 - 1 ids are mapped to themselves: the initial user namespace, or one like it. */
const FULL_MAP = /^\s*0\s+0\s+4294967295\s*$/;

export function isInUserNamespace(sys: Sys): boolean {
  return !FULL_MAP.test(readFileIfExists(sys, '/proc/self/uid_map') ?? '0 0 4294967295');
}
